# SPDX-License-Identifier: MIT
"""Can a page be read? What a test can tell without a browser.

problems(page) looks at the style sheet of one HTML file: whether its colours
are all variables, in a light and in a dark form; whether text on its ground
has a contrast of 4.5 : 1 (WCAG 2, level AA) in both; whether a width is fixed
that a phone has not; and whether the page fetches or runs what it should not.
"""

import re

LEAST = 4.5         # contrast of text
NARROW = 320        # CSS pixels: no width or column may insist on more

_VARIABLE = re.compile(r"--([\w-]+)\s*:\s*([^;]+);")
_DARK = re.compile(r"@media \(prefers-color-scheme: dark\)\s*\{\s*:root\s*"
                   r"\{(.*?)\}\s*\}", re.S)
_COLOUR = re.compile(r"#[0-9a-fA-F]{3,8}\b|\brgba?\(|\bhsla?\(|"
                     r"\b(?:red|green|blue|yellow|white|black|gr[ae]y)(?![\w-])")
_WIDE = re.compile(r"(?<![\w-])(?:min-width|width|flex-basis)\s*:\s*"
                   r"(\d+(?:\.\d+)?)(px|em|rem|ch)")
_COLUMNS = re.compile(r"grid-template-columns\s*:([^;}]*)")
_PIXELS = {"px": 1, "em": 16, "rem": 16, "ch": 8}


def colour(text):
    """(r, g, b) of #rgb or #rrggbb."""
    digits = text.strip().lstrip("#")
    if len(digits) == 3:
        digits = "".join(2 * d for d in digits)
    return tuple(int(digits[at:at + 2], 16) for at in (0, 2, 4))


def luminance(rgb):
    """Relative luminance, as WCAG 2 defines it."""
    def linear(part):
        part /= 255
        return (part / 12.92 if part <= 0.04045
                else ((part + 0.055) / 1.055) ** 2.4)
    r, g, b = map(linear, rgb)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(one, other):
    light, dark = sorted((luminance(colour(one)), luminance(colour(other))),
                         reverse=True)
    return (light + 0.05) / (dark + 0.05)


def style_of(page):
    return re.sub(r"/\*.*?\*/", "", "\n".join(
        re.findall(r"<style>(.*?)</style>", page, re.S)), flags=re.S)


def variables(page):
    """(light, dark): {name: colour}."""
    style = style_of(page)
    dark = _DARK.search(style)
    light = dict(_VARIABLE.findall(_DARK.sub("", style)))
    return light, {**light, **dict(_VARIABLE.findall(dark[1] if dark else ""))}


def _widths(style):
    for number, unit in _WIDE.findall(style):
        if float(number) * _PIXELS[unit] > NARROW:
            yield f"a width of {number}{unit} is more than a phone has"
    for columns in _COLUMNS.findall(_without_conditions(style)):
        for number, unit in re.findall(r"(\d+(?:\.\d+)?)(px|em|rem|ch)",
                                       columns):
            if "min(100%" not in columns and (
                    float(number) * _PIXELS[unit] > NARROW):
                yield f"a column of {number}{unit} is more than a phone has"


def _without_conditions(style):
    """Less what holds for wide screens only."""
    return re.sub(r"@media \(min-width[^{]*\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}",
                  "", style)


def problems(page, pairs, may_script=False):
    """Sentences; none: it is well. @pairs: [(text, ground)], names of
    variables without the dashes."""
    style = style_of(page)
    if 'name="viewport"' not in page:
        yield "no viewport: a phone shows it as if on a desk"
    if "default-src 'none'" not in page:
        yield "it does not forbid to fetch anything"
    if not may_script and re.search(r"<script|\son\w+\s*=", page):
        yield "it runs something"
    bare = _COLOUR.findall(re.sub(r"--[\w-]+\s*:[^;]+;", "", style))
    if bare:
        yield f"colours that are no variables: {', '.join(bare)}"
    light, dark = variables(page)
    same = [name for name in light if dark[name] == light[name]
            and light[name].startswith("#")]
    if same:
        yield f"no dark form of: {', '.join(same)}"
    for mode, values in (("light", light), ("dark", dark)):
        for text, ground in pairs:
            ratio = contrast(values[text], values[ground])
            if ratio < LEAST:
                yield (f"{mode}: {text} on {ground} has a contrast of "
                       f"{ratio:.2f}, less than {LEAST}")
    yield from _widths(_without_conditions(style))
