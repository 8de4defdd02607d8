"""Lines of an article that are nobody's reporting: known by how they begin or by what only they say.

To mark another kind of line, add a row to `_RULES`. A rule must match the whole of a short line or the
unmistakable beginning of a longer one: reporting left out in error is worse than a line too many.
"""

from __future__ import annotations

import re

_MONTHS = "january|february|march|april|may|june|july|august|september|october|november|december"

# Reason; words of which one must occur (a cheap first look, lower case); pattern for the clean sentence.
_RULES: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("copyright", ("copyright", "©", "(c)"), r"(?:image |photo |picture )?(?:copyright|\(c\)|©)\s*(?:©|\(c\)|\d{4}|(?:by|of|holder)\b|[A-Z])"),
    ("copyright", ("rights reserved",), r"(?:.{0,80}[.,|] ?)?all rights reserved\b"),
    ("copyright", ("may not be",), r".{0,60}may not be (?:published|reproduced|republished|redistributed)"),
    ("copyright", ("reprint", "permission"), r"(?:click here for )?reprint permissions?\b|.{0,60}permission to (?:cross-?post|republish|reprint)"),
    ("source", ("original source",), r"the original source (?:of|for) this (?:article|story|report)"),
    ("source", ("appeared", "published", "posted"), r"this (?:article|story|post|piece|column|report|essay) (?:was |has been |is )?(?:originally |first )(?:published|appeared|posted|ran)\b"),
    ("source", ("originally ", "first "), r"(?:originally|first) (?:published|posted|appeared) (?:by|on|at|in)\b"),
    ("source", ("published with",), r"(?:re)?published with (?:the )?permission"),
    ("source", ("image", "photo", "picture"), r"(?:featured )?(?:image|photo|picture)(?: (?:source|credit|by|is from|courtesy)|:)"),
    ("source", ("photo", "image", "reuters/", "(reuters"), r"\(?(?:AP|AFP|Reuters|Getty|EPA|Shutterstock)(?: ?/ ?| )(?:photo|images?|pictures|[A-Z][a-z]+ [A-Z][a-z]+)\b.{0,80}$"),
    ("source", ("source:",), r"source:\s.{0,80}$"),
    ("source", ("@",), r"[—–-] ?.{2,60} \(@\w+\)"),
    ("source", ("licensing", "content created"), r"for licensing opportunities\b|content created by .{2,80} is available\b"),
    ("byline", ("by ",), r"(?-i:By|BY) (?:(?-i:[A-Z])[\w.’'-]*,? ?|and |of |the |for |via ){1,9}$"),
    ("byline", ("published", "posted", "updated", "modified"), r"(?:last |first )?(?:published|posted|updated|modified)(?: on| at|:)?\s.{0,60}\d.{0,30}$"),
    ("byline", tuple(_MONTHS.split("|")), rf"(?:[A-Z][\w.&’'-]*,? ){{1,4}}(?:{_MONTHS}) \d{{1,2}},? \d{{4}}$"),
    ("byline", ("contributed to",), r"(?:.{1,80} )?contributed to this (?:story|report|article|post|column)"),
    ("byline", ("reporting by", "writing by", "editing by"), r"(?:additional )?(?:reporting|writing|editing) by\b.{0,200}$"),
    ("byline", ("all the latest",), r"all the latest .{0,60}articles"),
    ("byline", (" ago", " old"), r"(?:this article is more than )?\d+ (?:year|month|week|day|hour)s? (?:ago|old)\.?$"),
    ("tags", ("theme", "region", "tag", "topic", "filed under", "categor", "keyword", "in-depth report", "section"), r"(?:themes?|regions?|tags?|topics?|filed under|categor(?:y|ies)|keywords?|in-depth reports?|sections?)\s?:"),
    ("tags", ("tag", "topic", "filed under"), r"(?:tags?|topics?|filed under)\b(?: ?[,|/·#] ?[\w ]+){2,}$"),
    ("share", ("share",), r"(?:please )?share(?: (?:this|on|via|it|the article|with|your)\b.{0,80})?$"),
    ("share", ("facebook", "twitter", "email", "e-mail", "whatsapp"), r"(?:(?:facebook|twitter|x|email|e-mail|print|pinterest|whatsapp|linkedin|reddit|telegram|tumblr|share|tweet|more|comments?|copy link|messenger|\d+)(?: this)?[ ,|·/]*){2,}$"),
    ("share", ("follow", "like us"), r"(?:please )?(?:follow|like) (?:us|him|her|them|me|@|.{2,40} on (?:twitter|facebook|instagram|x|telegram)).{0,120}$"),
    ("share", ("@",), r"(?:contact|email|e-mail|write to|reach) .{2,60}@"),
    ("share", ("tips to", "join ", "a comment"), r"send (?:news )?tips to\b|join (?:us on|the conversation|our)\b.{0,100}$|(?:leave|post) a comment\b.{0,60}$"),
    ("subscribe", ("subscribe", "sign up", "sign-up", "signup"), r"(?:click here to )?(?:please )?(?:subscribe|sign[- ]?up)(?: (?:to|now|today|here|for)\b.{0,160})?[.!]?$"),
    ("subscribe", ("newsletter", "inbox", "email", " app", "alert"), r"(?:get|want) (?:our|the|all|more|fox news|breaking)\b.{0,80}(?:newsletter|inbox|email|app|alerts?)\b.{0,80}$"),
    ("subscribe", ("signing up", "unsubscribe", "recaptcha", "receive email"), r"(?:you(?: will|'ll|’ll)? receive email|by signing up|you can unsubscribe|this site is protected by recaptcha)"),
    ("subscribe", ("enter", "confirm", "invalid email", "select a newsletter"), r"please re-?enter\.?$|(?:please )?(?:enter|re-enter|confirm) (?:your|a valid) e-?mail\b|invalid email address|you must select a newsletter"),
    ("subscribe", ("subscribing", "opt-out", "opt out", "offers"), r"thank you for subscribing|you (?:may|can) opt[- ]out\b|you (?:will|agree to) receive (?:occasional|emails?)\b"),
    ("subscribe", ("sign up", "sign-up"), r"(?:e-?mail|newsletter) sign[- ]up\b"),
    ("subscribe", ("newsletter",), r".{0,40}\bnewsletters?\s*[.!]?$"),
    ("subscribe", ("donat", "support "), r"(?:please )?(?:donate|make a donation|support (?:our (?:work|journalism|reporting)|independent (?:media|journalism)))\b.{0,160}$"),
    ("subscribe", ("contribution",), r"please consider (?:making )?a contribution\b|your (?:financial )?contribution will\b"),
    ("subscribe", ("subscriber", "become a"), r"(?:already a subscriber|become a (?:member|subscriber|supporter|patron))\b.{0,120}$"),
    ("advertisement", ("ad", "sponsored", "promoted"), r"(?:advertisements?\s*:?(?: advertisements?| continue reading.{0,40}| story continues.{0,40})*|ad|sponsored(?: content)?|promoted)$"),
    ("advertisement", ("contin",), r"(?:article|story) continue[sd] (?:below|after)\b.{0,60}$|(?:continue|keep) reading\b.{0,60}$"),
    ("advertisement", ("skip ",), r"skip (?:advertisement|ad|to|past)\b.{0,60}$"),
    ("navigation", ("read", "see", "watch", "view"), r"(?:also )?(?:read|see|watch|view)(?: more| also| next| now)?(?:: ?.{0,160}| (?:from|on|about|at|by|here)\b.{0,80})?$"),
    ("navigation", ("related", "more", "recommended", "must", "trending", "miss", "might also", "may also"), r"(?:related|more|recommended|must[- ]?(?:read|see|watch)|trending|don[’']?t miss|you (?:may|might) also like)(?: (?:stories|articles|coverage|videos?|reading|content|links?)| on [\w ]{3,40})?\s?(?::.{0,160}|\.{3}|…)?$"),
    ("navigation", ("click ",), r"(?:please )?click (?:here|on)\b.{0,140}$"),
    ("navigation", ("watch", "listen"), r"(?:(?:just watched|must watch)\b.{0,120}|(?:watch|listen)(?: (?:live|here|below|the (?:video|clip)))?\s?:?)$"),
    ("navigation", ("show", "hide", "close", "top", "caption", "enlarge", "getty", "video", "photo", "gallery", "slideshow", "transcript", "loading"), r"(?:show|hide|close|back to top|(?:hide |toggle )?caption|enlarge(?: this image)?|getty images?|(?:media|image) caption.{0,160}|(?:replay more )?videos?|photos?|gallery|slideshow(?: \(.{1,20}\))?|transcript|loading)\W*$"),
    ("navigation", ("toggle caption", "hide caption", "playback"), r"enlarge this image\b.{0,160}$|hide caption\b.{0,160}$|media playback is un\w+ on your device\b"),
    ("navigation", ("image ", "["), r"(?:prev|next)? ?image \d+ of \d+$|\[[\w ]{2,20}\]$"),
    ("navigation", ("scroll", "jump to", "error has", "try again"), r"(?:scroll down|jump to)\b.{0,60}$|an error has occurred\.?$|please try again later\.?$"),
    ("navigation", ("opinion", "analysis"), r"(?:analysis|opinion|commentary)(?: ?/ ?(?:analysis|opinion|commentary))*\s?:$"),
    ("update", ("updated", "corrected", "amended", "revised", "edited", "modified"), r"(?:this|the) (?:article|story|post|report|piece|column|version)(?: of .{0,60})? (?:was|has been|is being|will be) (?:last |since )?(?:updated|corrected|amended|revised|edited|modified)\b"),
    ("update", ("correction", "clarification", "note"), r"(?:correction|clarification|editor[’']?s[’']? note)\s?(?:\(.{0,30}\))?\s?:"),
    ("disclaimer", ("disclaimer",), r"disclaimer\b"),
    ("disclaimer", (" expressed ",), r"(?:the |all )?(?:views|opinions)(?:,? [\w, ]{0,40})? expressed (?:in|by|here|are|on|within)\b"),
    ("disclaimer", ("responsib",), r"the (?:contents?|information|statements?|views) (?:of|in|on) this (?:article|site|page|website) (?:is|are) (?:of |the )?(?:sole )?responsib"),
    ("disclaimer", ("responsible for any", "liable for any", "liability for any"), r".{0,120}\b(?:responsible|liable|liability) for any (?:inaccura|incorrect|error|omission|loss|damage)"),
    ("disclaimer", ("copyrighted material",), r".{0,120}\bcopyrighted material\b"),
    ("disclaimer", ("making such material", "material on this site"), r"(?:we are making such material|the material on this site is (?:distributed|provided))\b"),
    ("disclaimer", ("inquir", "enquir"), r"for (?:media|press|publication|permission) (?:inquir|enquir)"),
    ("disclaimer", ("purposes only",), r".{0,60}\b(?:informational|information|educational) purposes only\b"),
    ("disclaimer", ("for publication",), r".{0,80}\bnot for publication or redistribution\b"),
)  # fmt: skip
_COMPILED = tuple((reason, words, re.compile(pattern, re.IGNORECASE)) for reason, words, pattern in _RULES)
# From here on an aggregator speaks about itself.
_TAIL = re.compile(r"the original source (?:of|for) this (?:article|story|report)|disclaimer\s*:", re.IGNORECASE)
_LINK_ONLY = re.compile(r"\W*(?:!?\[[^\[\]\n]+\]\([^()\s]+\)\W*){2,}")
_LINK_LABEL = re.compile(r"\[([^\[\]\n]+)\]\(")
_LONGEST = 600

REASONS = tuple(dict.fromkeys(reason for reason, _, _ in _RULES))


def boilerplate_reason(sentence: str) -> str | None:
    """Why a clean sentence is no reporting.

    Parameters
    ----------
    sentence : str
        Clean text of one sentence or line.

    Returns
    -------
    str or None
        One of `REASONS`; None for reporting.
    """
    if len(sentence) > _LONGEST:
        return None
    lowered = sentence.lower()
    for reason, words, pattern in _COMPILED:
        for word in words:
            if word in lowered:
                if pattern.match(sentence):
                    return reason
                break
    return None


def opens_tail(sentence: str) -> bool:
    """Whether everything after this clean sentence is the publisher speaking about itself."""
    return _TAIL.match(sentence) is not None


def is_tag_line(line: str) -> bool:
    """Whether a line as read, markup included, consists of short links only, as a list of tags does."""
    if not _LINK_ONLY.fullmatch(line):
        return False
    return all(len(label.split()) <= 5 for label in _LINK_LABEL.findall(line))
