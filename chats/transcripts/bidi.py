"""The bidirectional algorithm for one paragraph, UAX #9 revision 50. Runs in the press: no Django here.

Only what a transcript needs: senders' own embeddings, overrides and isolates were taken out before, so that a paragraph is
one run (rules X1–X10 have nothing to do). Linear in the length of the text: fpdf2's own version recurses once per neutral
character, and a thousand full stops in an Arabic message would end it.
"""

from bisect import bisect_left
from unicodedata import bidirectional

BRACKETS = "()[]{}༺༻༼༽᚛᚜⁅⁆⁽⁾₍₎⌈⌉⌊⌋❨❩❪❫❬❭❮❯❰❱❲❳❴❵⟅⟆⟦⟧⟨⟩⟪⟫⟬⟭⟮⟯⦃⦄⦅⦆⦇⦈⦉⦊⦋⦌⦑⦒⦓⦔⦕⦖⦗⦘〈〉《》「」『』【】〔〕〖〗〘〙〚〛（）［］｛｝｟｠｢｣"
CLOSING = dict(zip(BRACKETS[::2], BRACKETS[1::2], strict=True))
DEEPEST = 63  # BD16
NUMBERS = ("EN", "AN")
STRONG = {"L": "L", "R": "R", "EN": "R", "AN": "R"}  # as N0 and N1 count


def starts_right(text: str) -> bool:
    """Rules P2 and P3: whether the first letter with a direction runs from right to left."""
    for char in text:
        kind = bidirectional(char)
        if kind in ("R", "AL"):
            return True
        if kind == "L":
            return False
    return False


def levels(text: str, is_rtl: bool) -> list[int]:
    """The embedding level of each character of a paragraph that begins at the right, or the left."""
    base = "R" if is_rtl else "L"
    original = [bidirectional(char) or "L" for char in text]
    kinds = _weak(original, base)
    _brackets(text, original, kinds, base)
    _neutral(kinds, base)
    if is_rtl:
        return [1 if kind == "R" else 2 for kind in kinds]
    return [{"L": 0, "R": 1}.get(kind, 2) for kind in kinds]


def _weak(original: list[str], base: str) -> list[str]:
    """Rules W1 to W7."""
    kinds = original.copy()
    previous = strong = base
    for place, given in enumerate(original):
        kind = previous if given in ("NSM", "BN") else given  # W1; joiners behave like the letter before them
        if kind in ("L", "R", "AL"):
            strong = kind
        elif kind == "EN" and strong == "AL":  # W2
            kind = "AN"
        kinds[place] = previous = kind
    kinds = ["R" if kind == "AL" else kind for kind in kinds]  # W3
    _separators(kinds)
    strong = base
    for place, kind in enumerate(kinds):
        if kind in ("L", "R"):
            strong = kind
        elif kind == "EN" and strong == "L":  # W7
            kinds[place] = "L"
        elif kind in ("ES", "ET", "CS", "WS", "S", "B"):  # W6
            kinds[place] = "ON"
    return kinds


def _separators(kinds: list[str]) -> None:
    """Rules W4 (a sign between two numbers) and W5 (currency and percent beside a number)."""
    for place in range(1, len(kinds) - 1):
        before, after = kinds[place - 1], kinds[place + 1]
        if before == after and (
            (kinds[place] == "CS" and before in NUMBERS) or (kinds[place] == "ES" and before == "EN")
        ):
            kinds[place] = before
    for order in (range(1, len(kinds)), range(len(kinds) - 2, -1, -1)):
        step = 1 if order.step > 0 else -1
        for place in order:
            if kinds[place] == "ET" and kinds[place - step] == "EN":
                kinds[place] = "EN"


def _brackets(text: str, original: list[str], kinds: list[str], base: str) -> None:
    """Rule N0: a pair of brackets goes with what is in it, or with what stands before it."""
    for first, last in _pairs(text, kinds):
        inside = {STRONG[kind] for kind in kinds[first + 1 : last] if kind in STRONG}
        if not inside:
            continue
        chosen = base
        if base not in inside:
            before = next((STRONG[kinds[place]] for place in range(first - 1, -1, -1) if kinds[place] in STRONG), base)
            chosen = before if before != base else base
        for place in (first, last):
            kinds[place] = chosen
            mark = place + 1
            while mark < len(kinds) and original[mark] == "NSM":
                kinds[mark] = chosen
                mark += 1


def _pairs(text: str, kinds: list[str]) -> list[tuple[int, int]]:
    """Rule BD16, in the order of the opening brackets."""
    stack: list[tuple[str, int]] = []
    found: list[tuple[int, int]] = []
    for place, char in enumerate(text):
        if kinds[place] != "ON":
            continue
        if char in CLOSING:
            if len(stack) == DEEPEST:
                return []
            stack.append((CLOSING[char], place))
            continue
        for depth in range(len(stack) - 1, -1, -1):
            if stack[depth][0] == char:
                found.append((stack[depth][1], place))
                del stack[depth:]
                break
    return sorted(found)


def _neutral(kinds: list[str], base: str) -> None:
    """Rules N1 and N2: between two of one direction a neutral has theirs, else the paragraph's."""
    strong_places = [place for place, kind in enumerate(kinds) if kind in STRONG]
    for place, kind in enumerate(kinds):
        if kind in STRONG:
            continue
        after = bisect_left(strong_places, place)
        left = STRONG[kinds[strong_places[after - 1]]] if after else base
        right = STRONG[kinds[strong_places[after]]] if after < len(strong_places) else base
        kinds[place] = left if left == right else base
