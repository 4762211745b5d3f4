"""Reads the sentences of a comment: what they claim about the time of runs, and what else they say."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Final

from cronaudit.schedule.claims import (
    MONTH,
    QUARTER,
    YEAR,
    Claim,
    ClockTime,
    DaysOfMonth,
    DaysOfWeek,
    Period,
    Sentence,
    Strength,
    Vague,
)
from cronaudit.schedule.durations import DAY, HOUR, MINUTE, NUMBERS, UNITS, WEEK, alternatives
from cronaudit.schedule.fields import MONTHS, WEEKDAYS

if TYPE_CHECKING:
    from collections.abc import Callable

_NUM: Final = rf"(?:\d+(?:\.\d+)?|(?:{alternatives(NUMBERS)})(?=[\s-]))"
_LONG_UNIT: Final = alternatives({name: value for name, value in UNITS.items() if len(name) > 2})
_UNIT: Final = rf"(?:{_LONG_UNIT}|(?<=\d)(?:ms|mo|wk|hr|yr|[smhdw])|(?<=\d )(?:ms|hr|wk|[smhd]))(?![a-z\d])"
_ORDINALS: Final = {
    name: number
    for number, name in enumerate(
        "first second third fourth fifth sixth seventh eighth ninth tenth".split(), 1
    )
}
_ORDINAL: Final = rf"(?:\d{{1,2}}(?:st|nd|rd|th)|{'|'.join(_ORDINALS)}|last)"
_DAY_NAME: Final = rf"(?:{'|'.join(WEEKDAYS)})"
_ABBREVIATION: Final = r"(?:Sun|Mon|Tues?|Wed|Thu(?:rs?)?|Fri|Sat|SUN|MON|TUE|WED|THU|FRI|SAT)"
_TIME: Final = r"(?:\d{1,2}:\d{2}(?::\d{2})?\s?(?:am|pm)?|\d{1,2}\s?(?:am|pm)|midnight|noon|midday)"

_ADVERBS: Final = {
    "secondly": 1,
    "minutely": MINUTE,
    "half-hourly": HOUR / 2,
    "hourly": HOUR,
    "daily": DAY,
    "nightly": DAY,
    "weekly": WEEK,
    "fortnightly": 2 * WEEK,
    "monthly": MONTH,
    "quarterly": QUARTER,
    "yearly": YEAR,
    "annually": YEAR,
}

_RUN_WORDS: Final = frozenset(
    "run runs running rerun reruns execute executes executed executing execution fire fires fired trigger triggers"
    " triggered invoke invoked invokes called schedule schedules scheduled cron crontab job jobs task occurs occur"
    " happens interval intervals frequency period repeat repeats repeated recurring cadence".split()
)
_FILLER: Final = frozenset(
    "this the a an it its is be will shall should to in at on of by and with for time times timezone zone utc gmt once"
    " clock local server sharp exactly approximately approx about around roughly starting start starts started which"
    " that i.e ie means expression pattern default defaults currently between each every past hour minute minutes hours"
    " day days at, o'clock oclock only also new ms msec milliseconds s sec seconds z apart".split()
)
_DOUBT: Final = (
    r"\b(?:not|never|no|don't|doesn't|isn't|won't|cannot|can't|without|instead|previously|formerly|was|were|used to|too"
    r"|would|could|might|if|unless|except|todo|fixme|e\.?g|example|until|till|retry|retries|retried|retrying|timeout"
    r"|timeouts|times out|expires?|ttl|cached?|older|ago|within|limit|limited|max|maximum|backoff|waits?|delay|delayed"
    r"|than|or|but|longer|at most|at least|up to)\b"
)
_ZONE: Final = (
    r"\b(utc|gmt|cet|cest|wet|west|eet|eest|est|edt|cst|cdt|mst|mdt|pst|pdt|ist|bst|jst|kst|msk|aest|aedt|nzst|nzdt|sgt"
    r"|hkt|brt|eastern|pacific|(?:africa|america|antarctica|asia|atlantic|australia|europe|indian|pacific|etc)"
    r"/[a-z_/]+)\b|(?<=\d)z\b|(?<=[apm\d] )([ecmp]t)\b|\b([a-z]{3,}) time\b"
)
_NO_ZONES: Final = frozenset(
    "local server the each every this same any that run start one cron first last real".split()
)


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    """Compiled at first use: the patterns together would add to every start of the program."""
    return re.compile(pattern)


def read_sentences(comment: str) -> tuple[Sentence, ...]:
    """The sentences of a comment, with or without its comment marks, or of the name of a preset."""
    # A longer text is no remark on a schedule; "İ" is the one letter whose lower case is longer than itself.
    text = comment[:8000].replace("İ", "I")
    if re.fullmatch(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+", comment.strip()):
        text = comment.strip().replace("_", " ").lower()
    text = re.sub(r"(?m)^[ \t]*(?:/\*+|\*+/|\*+(?=\s|$)|//+|#+|<!--|--(?=\s))", "", text)
    text = re.sub(r"\*+/|-->", "", text)
    text = re.sub(r"(?i)\b([ap])\.m\b\.?", r"\1m", text)
    text = re.sub(r"\n\s*(?:\n|[-*@](?=\s|\w))", ". ", text)
    parts = re.split(r"[.;!?](?=\s|$)", " ".join(text.split()))
    return tuple(_SentenceReader(part).read() for part in parts if part.strip())


class _SentenceReader:
    """Takes a sentence apart: each pattern blanks out what it has understood."""

    def __init__(self, text: str) -> None:
        self._original = text.strip()
        self._left = self._original
        self._claims: list[tuple[Claim, Strength]] = []
        self._sizes: list[float] = []

    def read(self) -> Sentence:
        lower = self._original.lower()
        self._days_of_month()
        self._weekdays()
        self._periods()
        self._adverbs()
        self._times()
        starts_with_size = compiled(rf"\W*{_NUM}[\s-]*{_UNIT}").match(self._left.lower()) is not None
        self._take(rf"({_NUM})[\s-]*({_UNIT})", self._size)
        words = compiled(r"[a-z][a-z'.]*[a-z']|[a-z]").findall(self._left.lower())
        zones = tuple(dict.fromkeys(_zones(lower)))
        timed = any(isinstance(claim, ClockTime) for claim, _ in self._claims)
        zone_words = {word for zone in zones if timed for word in re.split(r"[/_]", zone)}
        rest = tuple(
            word
            for word in words
            if word not in _FILLER and word not in _RUN_WORDS and word not in zone_words
        )
        alone = not rest
        return Sentence(
            claims=tuple((claim, Strength.STRONG if alone else strength) for claim, strength in self._claims),
            sizes=tuple(self._sizes),
            starts_with_size=starts_with_size,
            rest=rest,
            speaks_of_runs=any(word in _RUN_WORDS for word in compiled(r"[a-z]+").findall(lower)),
            doubtful=compiled(_DOUBT).search(lower) is not None,
            zones=zones,
        )

    def _take(self, pattern: str, reader: Callable[[re.Match[str]], bool], *, cased: bool = False) -> None:
        """Hands every match to the reader, and blanks it out if the reader understood it."""
        text = self._left
        position = 0
        while match := compiled(pattern).search(text if cased else text.lower(), position):
            if reader(match):
                text = f"{text[: match.start()]}{'~' * (match.end() - match.start())}{text[match.end() :]}"
            position = max(match.end(), position + 1)
        self._left = text

    def _claim(self, claim: Claim, strength: Strength = Strength.STRONG) -> bool:
        self._claims.append((claim, strength))
        return True

    def _days_of_month(self) -> None:
        month = r"(?:the|each|every|a) month"
        self._take(
            rf"(?:on |every )?(?:the )?({_ORDINAL}) (?:{_DAY_NAME}) (?:of|in) {month}",
            lambda _: self._claim(Vague()),
        )
        days = rf"({_ORDINAL}(?:(?:,| and| &)+ (?:the )?{_ORDINAL})*)"
        self._take(rf"(?:on |every )?(?:the )?{days}(?: days?)?,? of {month}", self._month_days)
        self._take(
            rf"(?:on|every) (?:the )?{days}(?= |$|[,.:)])(?! (?:{_UNIT}|{_DAY_NAME}))", self._month_days
        )
        self._take(rf"\b(?:on )?day (\d{{1,2}})(?: of {month})", self._month_days)
        names = "|".join(MONTHS)
        self._take(rf"\b(?:in|every|each|on) (?:{names})(?: \d+)?\b", lambda _: self._claim(Vague()))

    def _month_days(self, match: re.Match[str]) -> bool:
        found = compiled(rf"{_ORDINAL}|\d+").findall(match[1])
        days = {
            0 if name == "last" else _ORDINALS.get(name) or int(re.sub(r"\D", "", name)) for name in found
        }
        return max(days) <= 31 and self._claim(DaysOfMonth(frozenset(days)))

    def _weekdays(self) -> None:
        self._take(
            r"(on |every |each )?\b((?:week|work|working |business )days?|weekends?)\b(?!\s?=)",
            self._kind_of_day,
        )
        name = rf"(?:(?i:{_DAY_NAME})|{_ABBREVIATION}\b)"
        several = rf"{name}s?(?:(?:\s?[-\u2013,&/]\s?|,? and |,? to | through | thru ){name}s?)*"
        self._take(rf"((?i:on|every|each)\s)?\b({several})", self._day_names, cased=True)

    def _kind_of_day(self, match: re.Match[str]) -> bool:
        days = frozenset({0, 6} if match[2].startswith("weekend") else range(1, 6))
        return self._claim(DaysOfWeek(days), Strength.STRONG if match[1] else Strength.WEAK)

    def _day_names(self, match: re.Match[str]) -> bool:
        text = match[2].lower()
        days: set[int] = set()
        joint = ""
        previous = 0
        for piece in compiled(r"[a-z]+|[-\u2013,&/]").findall(text):
            number = next(
                (i for i, day in enumerate(WEEKDAYS) if day.startswith(piece[:3]) and len(piece) > 2), None
            )
            if number is None:
                joint = piece
                continue
            if joint in ("-", "\u2013", "to", "through", "thru"):
                days.update((previous + step) % 7 for step in range((number - previous) % 7 + 1))
            days.add(number)
            previous, joint = number, ""
        plural = text.endswith("s") and text.rstrip("s").endswith("day")
        strong = match[1] or plural or len(days) > 1
        return self._claim(DaysOfWeek(frozenset(days)), Strength.STRONG if strong else Strength.WEAK)

    def _periods(self) -> None:
        counts = "|".join(name for name in NUMBERS if name[0] not in "ah" and " " not in name)
        times = rf"(?:(once|twice|thrice)|(\d+|{counts})\s?(?:times?|x))"
        self._take(rf"\b{times} (?:a|an|per|each|every|in a|in an) ({_LONG_UNIT})\b", self._count)
        every = r"\b(?:once )?(?:every|each)(?: single)?[\s-]+"
        self._take(
            rf"{every}(?:half[\s-](?:an )?hour|(quarter)(?: of an|[\s-])? ?hour)",
            lambda match: self._claim(Period(HOUR / 4 if match[1] else HOUR / 2)),
        )
        self._take(rf"{every}quarter\b(?!ly)", lambda _: self._claim(Period(QUARTER)))
        ordinal = rf"(other|alternate|{_ORDINAL})"
        self._take(rf"{every}{ordinal}[\s-]+({_LONG_UNIT})\b", self._nth)
        self._take(rf"{every}({_NUM})?[\s-]*({_UNIT})", self._every)
        self._take(
            rf"{every}(?:morning|night|evening|afternoon)\b|\beveryday\b", lambda _: self._claim(Period(DAY))
        )

    def _nth(self, match: re.Match[str]) -> bool:
        name = match[1]
        number = (
            2 if name in ("other", "alternate") else _ORDINALS.get(name) or int(re.sub(r"\D", "", name) or 0)
        )
        return number > 0 and self._claim(Period(number * _unit_seconds(match[2])))

    def _every(self, match: re.Match[str]) -> bool:
        return self._claim(Period(_number(match[1] or "1") * _unit_seconds(match[2])))

    def _count(self, match: re.Match[str]) -> bool:
        named = {"once": 1, "twice": 2, "thrice": 3}
        times = named[match[1]] if match[1] else int(_number(match[2]))
        return times > 0 and self._claim(Period(_unit_seconds(match[3]), times))

    def _adverbs(self) -> None:
        self._take(
            rf"(@|\b(?:runs?|executes?d?|scheduled|triggered|fires|occurs|happens) (?:once )?|^\W*)?"
            rf"\b(?:(\d+|{alternatives(NUMBERS)})-)?({'|'.join(_ADVERBS)})\b(?=(.{{0,12}}))",
            self._adverb,
        )

    def _adverb(self, match: re.Match[str]) -> bool:
        after = match[4]
        ends_clause = compiled(
            r"\s*(?:$|[,:;)(@~\u2013—]|- |(?:at|on|by|in|around|after|before|between|from|starting|utc|to|and"
            r"|when|while|as|for|via|\d)\b)"
        ).match(after)
        runs = bool(match[1]) and bool(match[1].strip())
        strong = runs or ends_clause is not None
        seconds = _ADVERBS[match[3]] * (_number(match[2]) if match[2] else 1)
        return self._claim(Period(seconds), Strength.STRONG if strong else Strength.WEAK)

    def _times(self) -> None:
        to = r"\s?(?:and|to|until|till|through|-|\u2013)\s?"
        # The ends of a window are no times of runs.
        self._take(rf"\b(?:between|from)\s(?:{_TIME}|\d{{1,2}}){to}(?:{_TIME}|\d{{1,2}})", lambda _: True)
        self._take(rf"\b(?:before|after|until|till|since|by|from)\s{_TIME}", lambda _: True)
        self._take(r"\d{4}-\d\d-\d\d[ t]\d\d:\d\d(?::\d\d)?", lambda _: True)
        self._take(
            rf"((?:\bat|@|\butc|\bgmt|~,?|\band)\s?)?(?<![\w.:/-]){_TIME}(?![\w:/-]|\.\d)(?:\so'?clock)?",
            self._time,
        )
        self._take(
            r"\b(at|@)\s?(\d{1,2})(?: o'?clock)?(?=\s*(?:$|[,.)~]|utc|gmt|in the|every|on ))", self._bare_hour
        )

    def _time(self, match: re.Match[str]) -> bool:
        found = compiled(_TIME).search(match[0])
        minutes = None if found is None else _clock_minutes(found[0])
        if found is None or minutes is None:
            return False
        strength = Strength.STRONG if match[1] else Strength.WEAK
        return self._claim(ClockTime(minutes, ":" not in found[0]), strength)

    def _bare_hour(self, match: re.Match[str]) -> bool:
        hour = int(match[2])
        if hour > 24:
            return False
        hours = {hour % 24} if hour > 12 or match[2].startswith("0") else {hour, (hour + 12) % 24}
        return self._claim(ClockTime(frozenset(hour * 60 for hour in hours), whole_hour=True))

    def _size(self, match: re.Match[str]) -> bool:
        self._sizes.append(_number(match[1]) * _unit_seconds(match[2]))
        return True


def _number(text: str) -> float:
    return NUMBERS[text] if text in NUMBERS else float(text)


def _unit_seconds(name: str) -> float:
    if name.startswith("mo"):
        return MONTH
    return YEAR if name.startswith("y") else UNITS[name]


def _clock_minutes(text: str) -> frozenset[int] | None:
    """The minutes of the day that a time may mean; None if it is none."""
    if text in ("midnight", "noon", "midday"):
        return frozenset({0 if text == "midnight" else 720})
    match = compiled(r"(\d{1,2})(?::(\d{2}))?(?::\d{2})?\s?(am|pm)?").fullmatch(text.strip())
    if match is None:
        return None
    hour, minute = int(match[1]), int(match[2] or 0)
    if hour > 24 or minute > 59 or (match[3] and not 1 <= hour <= 12):
        return None
    if match[3]:
        return frozenset({(hour % 12 + (12 if match[3] == "pm" else 0)) * 60 + minute})
    early = hour % 24 * 60 + minute
    return frozenset({early, early + 720} if 0 < hour < 12 and len(match[1]) == 1 else {early})


def _zones(lower: str) -> list[str]:
    found: list[str] = []
    for match in compiled(_ZONE).finditer(lower):
        name = match[1] or match[2] or match[3] or "z"
        if name not in _NO_ZONES and not (match[3] and name in _FILLER):
            found.append(name)
    return found
