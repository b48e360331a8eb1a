"""A chat to keep: read once by `reading`, then written as text, HTML, PDF or mail.

reading.py · sentences.py   rows -> Transcript (plain values in the reader's language and the team's time zone)
plain.py · page.py · paper.py · mail.py   Transcript -> text · HTML · PDF · a message
press.py     the process that sets a PDF, alone with its fonts: it imports nothing of Django, nor do
             broadsheet.py (the page's parts) · sheet.py (the operators) · layout.py (lines) · bidi.py · faces.py (fonts)
serve.py     what a door answers

Nothing is imported here, so that the press starts without Django.
"""
