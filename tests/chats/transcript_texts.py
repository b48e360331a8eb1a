"""What the tests of transcripts let people write."""

from itertools import count

from chats.actions.post import Post, post_message

PRIVATE = "PRIVATE-MARK-onlyforstaff"
ids = count()

SCRIPTS = {
    "latin": "Grüße, żółć, naïve – “quoted” № 4711",
    "greek": "Πού είναι η παραγγελία μου;",
    "cyrillic": "Где мой заказ?",
    "arabic": "مرحبا، كيف حالك اليوم؟ طلبك رقم 12345 في الطريق (DHL).",
    "hebrew": "שלום, ההזמנה שלך (kettle) בדרך.",
    "chinese": "你好，我的订单在哪里？請問「水壺」到了嗎？",
    "japanese": "注文はどこですか？コーヒーメーカー",
    "korean": "안녕하세요, 주문은 어디에 있나요?",
    "hindi": "नमस्ते, आपका ऑर्डर कहाँ है? कृपया प्रतीक्षा करें।",
    "thai": "สวัสดีครับ คำสั่งซื้ออยู่ที่ไหน",
    "emoji": "👍🏽 😀 ❤️ 👨‍👩‍👧‍👦 🇩🇪 1️⃣",
}


def attacks(address: str = "http://127.0.0.1:9", path: str = "/etc/passwd") -> list[str]:
    """What a renderer that takes text for markup would fetch, read or run."""
    return [
        f'<img src="{address}/img">',
        f'<link rel="stylesheet" href="{address}/css">',
        f"<style>@import url('{address}/import'); body {{ background: url({address}/bg) }}</style>",
        f'<object data="{address}/object"></object><embed src="{address}/embed">',
        f'<iframe src="file://{path}"></iframe>',
        f'<link rel="attachment" href="file://{path}">',
        f'<svg xmlns="http://www.w3.org/2000/svg"><image href="{address}/svg"/></svg>',
        f"![image]({address}/markdown) [link](file://{path})",
        f'<script src="{address}/js"></script><script>alert(1)</script>',
        f"<annotation file=\"{path}\"/> {{% include '{path}' %}} {{{{ settings.SECRET_KEY }}}}",
        f"file://{path} \\input{{{path}}} %(settings)s ${{7*7}}",
        '"><b onmouseover=alert(1)>x</b><!-- ]]> --></style></title>',
        "endstream endobj 9 0 obj << /S /URI /URI (http://127.0.0.1) >> (unbalanced",
    ]


ATTACKS = attacks()


def say(held, who, text, now, *, is_note=False):
    """Post through the action, with the pace of an unhurried person."""
    type(held.chat).objects.filter(pk=held.chat.pk).update(pace_at=None)
    return post_message(Post(held.chat.pk, who.pk, f"say-{next(ids)}", text, is_note=is_note), now=now)
