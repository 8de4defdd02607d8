"""Lines of an article that are nobody's reporting: known by how they begin or by what only they say.

To mark another kind of line, add a row to `_RULES`. A rule must match the whole of a short line or the
unmistakable beginning of a longer one: reporting left out in error is worse than a line too many.
"""

from __future__ import annotations

import re

_MONTHS = "january|february|march|april|may|june|july|august|september|october|november|december"

# Reason; words of which one must occur (a cheap first look, lower case); pattern for the clean sentence. Letters match
# in either case but for (?-i:...). Repeats inside repeats are possessive: without that, one line could take for ever.
_RULES: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("copyright", ("copyright", "©", "(c)"), r"(?:image |photo |picture )copyright\b|(?:copyright|\(c\)|©)\s*(?:©|\(c\)|\d{4}|(?:by|of|holder)\b)|©"),
    ("copyright", ("rights reserved",), r"(?:.{0,80}[.,|] ?)?all rights reserved\b"),
    ("copyright", ("may not be",), r"(?:this|our|all) (?:material|content|article|story|stories)\b.{0,60}may not be (?:published|reproduced|republished|redistributed)"),
    ("copyright", ("reprint", "permission"), r"(?:click here for )?reprint permissions?\b|.{0,60}grants? permission to (?:cross-?post|republish|reprint)"),
    ("source", ("original source",), r"the original source (?:of|for) this (?:article|story|report)"),
    ("source", ("appeared", "published", "posted"), r"this (?:article|story|post|piece|column|report|essay) (?:was |has been |is )?(?:originally |first )(?:published|appeared|posted|ran)\b"),
    ("source", ("originally ",), r"originally (?:published|posted|appeared) (?:by|on|at)\b.{0,80}$"),
    ("source", ("published with",), r"(?:re)?published with (?:the )?permission"),
    ("source", ("image", "photo", "picture"), r"(?:featured )?(?:image|photo|picture)(?: (?:source|credit|courtesy)\b|:| by (?-i:[A-Z])| is from\b).{0,160}$"),
    ("source", ("photo", "image", "reuters", "/"), r"\(?(?-i:AP|AFP|Reuters|REUTERS|Getty|EPA|Shutterstock)(?:/(?-i:[A-Z])| (?-i:Photo|Images?|Pictures)\b| photo:).{0,80}$"),
    ("source", ("source:",), r"source:\s.{0,80}$"),
    ("source", ("@",), r"[—–-] ?.{2,60} \(@\w+\)"),
    ("source", ("licensing", "content created"), r"for licensing opportunities\b|content created by .{2,80} is available\b"),
    ("byline", ("by ",), r"(?-i:By|BY) (?:(?-i:[A-Z])[\w.’'-]*+,?+ ?+|and |of |the |for |via ){1,9}+$"),
    ("byline", ("published", "posted", "updated", "modified"), rf"(?:last |first )?(?:published|posted|updated|modified)(?: on| at|:)? (?:(?:{_MONTHS}|(?:mon|tues|wednes|thurs|fri|satur|sun)day)\b.{{0,30}}|\d{{1,2}}[:/.]\d.{{0,30}})$"),
    ("byline", tuple(_MONTHS.split("|")), rf"(?:(?-i:[A-Z])[\w.&’'-]*+,? ){{1,4}}(?:{_MONTHS}) \d{{1,2}},? \d{{4}}$"),
    ("byline", (" ago", " old"), r"(?:this article is more than )?\d+ (?:year|month|week|day|hour)s? (?:ago|old)\.?$"),
    ("byline", ("contributed to",), r"(?:.{1,80} )?contributed to this (?:story|report|article|post|column)\.?$"),
    ("byline", ("reporting by", "writing by", "editing by"), r"(?:additional )?(?:reporting|writing|editing) by (?:(?:(?-i:[A-Z])[\w.’'-]*+|and|in|for|editing|writing|additional|reporting|by)[ ,;.]*+)++$"),
    ("byline", ("all the latest",), r"all the latest .{0,60}articles"),
    ("tags", ("theme", "region", "tag", "topic", "filed under", "categor", "keyword", "in-depth report", "section"), r"(?:themes?|regions?|tags?|topics?|filed under|categor(?:y|ies)|keywords?|in-depth reports?|sections?)\s?:(?:\s*(?-i:[A-Z#])[^.!?]*|\s*(?:#?[\w-]+,\s*)++#?[\w -]*|)$"),
    ("share", ("share",), r"(?:please )?share(?: (?:this|on|via|the article|with your)\b.{0,80})?$"),
    ("share", ("facebook", "twitter", "email", "e-mail", "whatsapp"), r"(?:(?:facebook|twitter|x|email|e-mail|print|pinterest|whatsapp|linkedin|reddit|telegram|tumblr|share|tweet|more|comments?|copy link|messenger|\d++)(?: this)?\b[ ,|·/]*+){2,}+$"),
    ("share", ("follow", "like us"), r"(?:please )?(?:follow|like) (?:us\b|him\b|her\b|them\b|me\b|@|.{2,40} on (?:twitter|facebook|instagram|x|telegram)\b).{0,120}$"),
    ("share", ("@",), r"(?:contact|email|e-mail|write to|reach|send (?:news )?tips to) .{0,60}@"),
    ("share", ("join ", "a comment"), r"join (?:us on|the conversation)\b.{0,100}$|(?:leave|post) a comment\b.{0,60}$"),
    ("subscribe", ("subscribe", "sign up", "sign-up", "signup"), r"(?:click here to )?(?:please )?(?:subscribe|sign[- ]?up)(?: (?:to|now|today|here|for)\b.{0,160})?[.!]?$"),
    ("subscribe", ("newsletter", "inbox", " app", "alert"), r"(?:get|want) .{0,60}\b(?:newsletters?|(?:to|in) your inbox|(?:the|our) app|alerts)\b.{0,60}$"),
    ("subscribe", ("signing up", "unsubscribe", "recaptcha", "receive email"), r"(?:you(?: will|'ll|’ll)? receive email|by signing up|you can unsubscribe|this site is protected by recaptcha)"),
    ("subscribe", ("enter", "confirm", "invalid email", "select a newsletter"), r"please re-?enter\.?$|(?:please )?(?:enter|re-enter|confirm) (?:your|a valid) e-?mail\b|invalid email address\.?$|you must select a newsletter"),
    ("subscribe", ("subscribing", "opt-out", "opt out", "offers"), r"thank you for subscribing|you (?:may|can) opt[- ]out\b|you (?:will|agree to) receive (?:occasional|emails?)\b"),
    ("subscribe", ("sign up", "sign-up"), r"(?:e-?mail|newsletter) sign[- ]up\b"),
    ("subscribe", ("newsletter",), r"(?:our|the|free|daily|weekly|email|manage|more)\b.{0,40}\bnewsletters?\W*$"),
    ("subscribe", ("contribution",), r"please consider (?:making )?a contribution\b|your (?:financial )?contribution will\b"),
    ("subscribe", ("donat", "support "), r"(?:please )?(?:donate (?:now|today|here|to (?:us|our))|make a donation|support (?:our (?:work|journalism|reporting)|independent (?:media|journalism)))\b.{0,160}$"),
    ("subscribe", ("subscriber", "become a"), r"(?:already a subscriber|become a (?:member|subscriber|supporter|patron) (?:of|today|now|for)|become a (?:member|subscriber|supporter|patron)\W*$)"),
    ("advertisement", ("ad", "sponsored", "promoted"), r"(?:(?:advertisements?\s*:?\s*+)++(?:(?:continue reading|story continues)\b.{0,40})?|ad|sponsored(?: content)?|promoted)$"),
    ("advertisement", ("contin",), r"(?:article|story) continue[sd] (?:below|after ad)\b.{0,60}$|(?:continue|keep) reading\b.{0,60}$"),
    ("advertisement", ("skip ",), r"skip (?:advertisement|ad|to (?:content|main)|past)\b.{0,60}$"),
    ("navigation", ("read", "see", "watch", "view"), r"(?:also )?(?:read|see|watch|view)(?:(?: more| also| next| now)(?:\s?:.{0,160}| (?:from|on|about|at|here)\b.{0,80})?|\s?:\s?(?-i:[A-Z‘“\"']).{0,160})?$"),
    ("navigation", ("related", "more", "recommended", "must", "trending", "miss", "might also", "may also"), r"(?:related|more|recommended|must[- ]?(?:read|see|watch)|trending|don[’']?t miss|you (?:may|might) also like)(?: (?:stories|articles|coverage|videos?|reading|content|links?)| on [\w ]{3,40})?\s?(?::\s?(?-i:[A-Z‘“\"']).{0,160}|\.{3}|…|:)?$"),
    ("navigation", ("click ",), r"(?:please )?click (?:here|on)\b.{0,140}$"),
    ("navigation", ("watch", "listen"), r"(?:(?:just watched|must watch) (?-i:[A-Z]).{0,120}|(?:watch|listen)(?: (?:live|here|below|the (?:video|clip)))?\s?:?)$"),
    ("navigation", ("show", "hide", "close", "top", "caption", "enlarge", "getty", "video", "photo", "gallery", "slideshow", "transcript", "loading"), r"(?:show|hide|close|back to top|(?:hide |toggle )?caption|enlarge(?: this image)?|getty images?|(?:media|image) caption.{0,160}|(?:replay more )?videos?|photos?|gallery|slideshow(?: \(.{1,20}\))?|transcript|loading)\W*$"),
    ("navigation", ("toggle caption", "hide caption", "playback"), r"enlarge this image\b.{0,160}$|hide caption\b.{0,160}$|media playback is un\w+ on your device\b"),
    ("navigation", ("image ", "["), r"(?:prev|next)? ?image \d+ of \d+$|\[[\w ]{2,20}\]$"),
    ("navigation", ("scroll", "jump to", "error has", "try again"), r"scroll down\W*$|jump to (?:comments?|navigation|content|top)\W*$|an error has occurred\.?$|please try again later\.?$"),
    ("navigation", ("opinion", "analysis"), r"(?:analysis|opinion|commentary)(?: ?/ ?(?:analysis|opinion|commentary))*\s?:$"),
    ("update", ("updated", "corrected", "amended", "revised"), r"this (?:article|story|post|report|piece|column|version)(?: of .{0,60})? (?:was|has been|is being|will be) (?:last |since )?(?:updated|corrected|amended|revised)\b"),
    ("update", ("correction", "clarification", "note"), r"(?:correction|clarification|editor[’']?s[’']? note)\s?(?:\(.{0,30}\))?\s?:\s?(?-i:[A-Z])"),
    ("disclaimer", ("disclaimer",), r"disclaimer\s*:"),
    ("disclaimer", (" expressed",), r"(?:the |all )?(?:views|opinions)\b.{0,40} expressed\b.{0,80}\b(?:are (?:the )?(?:sole|those|his|hers?|theirs?|my|not)|do not|belong)"),
    ("disclaimer", ("responsib",), r"the (?:contents?|information|statements?|views) (?:of|in|on) this (?:article|site|page|website) (?:is|are) (?:of |the )?(?:sole )?responsib"),
    ("disclaimer", ("responsible for any", "liable for any", "liability for any"), r".{0,120}\b(?:responsible|liable|liability) for any (?:inaccura|incorrect statement|errors? or omission|errors?,)"),
    ("disclaimer", ("copyrighted material",), r"(?:this|our) (?:site|website|article|page)\b.{0,60}copyrighted material\b|if you wish to use copyrighted material\b"),
    ("disclaimer", ("making such material", "material on this site"), r"(?:we are making such material|the material on this site is (?:distributed|provided))\b"),
    ("disclaimer", ("inquir", "enquir"), r"for (?:media|press|publication|permission) (?:inquir|enquir)"),
    ("disclaimer", ("purposes only",), r".{0,60}\b(?:informational|information|educational) purposes only\b"),
    ("disclaimer", ("for publication",), r".{0,80}\bnot for publication or redistribution\b"),
)  # fmt: skip
_COMPILED = tuple((reason, words, re.compile(pattern, re.IGNORECASE)) for reason, words, pattern in _RULES)
# From here on an aggregator speaks about itself.
_TAIL = re.compile(r"the original source (?:of|for) this (?:article|story|report)|disclaimer\s*:", re.IGNORECASE)
_LINK = re.compile(r"!?\[([^\[\]\n]+)\]\([^()\s]+\)")
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
    labels = _LINK.findall(line)
    if len(labels) < 2 or re.search(r"\w", _LINK.sub("", line)):
        return False
    return all(len(label.split()) <= 5 for label in labels)
