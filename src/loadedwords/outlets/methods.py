"""How a comparison was made, as a paragraph for the methods section of a paper, with its references."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import metadata
from typing import TYPE_CHECKING

import polars as pl

from loadedwords.outlets.domains import FEW_LABELS
from loadedwords.outlets.summary import n_labels, work_of_others

if TYPE_CHECKING:
    from loadedwords.outlets.comparison import Comparison

_REFERENCES = {
    "angelopoulos": "Angelopoulos, A. N., Duchi, J. C., & Zrnic, T. (2023). PPI++: Efficient prediction-powered inference. arXiv:2311.01453.",
    "cameron": "Cameron, A. C., Gelbach, J. B., & Miller, D. L. (2008). Bootstrap-based improvements for inference with clustered errors. Review of Economics and Statistics, 90(3), 414–427.",
    "efron": "Efron, B., & Stein, C. (1981). The jackknife estimate of variance. Annals of Statistics, 9(3), 586–596.",
    "egami": "Egami, N., Hinck, M., Stewart, B. M., & Wei, H. (2023). Using imperfect surrogates for downstream inference: Design-based supervised learning for social science applications of large language models. Advances in Neural Information Processing Systems, 36.",
    "franco": "Franco, C., Little, R. J. A., Louis, T. A., & Slud, E. V. (2019). Comparative study of confidence intervals for proportions in complex sample surveys. Journal of Survey Statistics and Methodology, 7(3), 334–364.",
    "holm": "Holm, S. (1979). A simple sequentially rejective multiple test procedure. Scandinavian Journal of Statistics, 6(2), 65–70.",
    "krippendorff": "Krippendorff, K. (2004). Content analysis: An introduction to its methodology (2nd ed.). Sage.",
    "little": "Little, R. J. A. (1982). Direct standardization: A tutorial on linear models for unbalanced data. The American Statistician, 36(1), 38–43.",
    "monroe": "Monroe, B. L., Colaresi, M. P., & Quinn, K. M. (2008). Fightin’ words: Lexical feature selection and evaluation for identifying the content of political conflict. Political Analysis, 16(4), 372–403.",
    "newcombe": "Newcombe, R. G. (1998). Interval estimation for the difference between independent proportions: Comparison of eleven methods. Statistics in Medicine, 17(8), 873–890.",
    "morris": "Morris, C. N. (1983). Parametric empirical Bayes inference: Theory and applications. Journal of the American Statistical Association, 78(381), 47–55.",
    "zou": "Zou, G. Y., & Donner, A. (2008). Construction of confidence limits about effect measures: A general approach. Statistics in Medicine, 27(10), 1693–1702.",
}
_VOICES = {
    "own": "the sentences in which the outlet itself speaks, quoted words left out",
    "quoted": "the sentences in which an outlet quotes somebody",
    "all": "all sentences, whoever speaks",
}
# What a run may be told, and what is said of it then.
_TREATMENTS = {
    "house": "Words that the rules of a house accept, and kinds that they have off, were not counted as loaded words",
    "syndicated": "What agencies and other publications wrote was counted as the outlet’s own",
    "other_languages": "Text in other languages than English was scored as well",
}


def methods(found: Comparison) -> tuple[str, tuple[str, ...]]:
    """The paragraph, with the figures of this comparison, and its references in full."""
    total = found.overall.to_dicts()[0] if found.overall.height else {"n_articles": 0, "n_sentences": 0}
    cited = {"cameron", "efron", "holm", "newcombe", "zou"}
    scale = "" if found.base_rate is None else f" (base rate {found.base_rate:.3f})"
    said = [
        f"We scored {total['n_articles']:,} articles of {found.outlets.height:,} outlets ({total['n_sentences']:,} sentences that count) "
        f"with loadedwords {metadata.version('loadedwords')}, model {found.model['name']} ({found.model['hash'][:12]}), which estimates for "
        f"each sentence the share of careful readers who would object to its wording{scale}. An outlet’s loaded share is the mean score of "
        f"{_VOICES[found.voice]}.",
        f"Intervals ({100 * found.level:g}%) are those of the delete-one jackknife over whole articles (Efron & Stein, 1981; Cameron et al., "
        "2008), articles on one event, and copies of a text, left out together, on the logit scale with Student’s t.",
    ]
    who = f"at least {found.min_articles} articles" if found.corrected is None else f"at least {FEW_LABELS} labels"
    said.append(
        f"Outlets with {who} were compared in pairs, by intervals of the difference made from those of both shares (Newcombe, 1998; Zou & "
        "Donner, 2008), corrected for the number of pairs (Holm, 1979)."
    )
    if theirs := work_of_others(found):
        said.append(theirs)
    said += _treatments(found)
    if found.within_events.height:
        said.append(
            f"Outlets were also compared within the {found.n_events:,} events that at least two of them report, the event being the unit."
        )
    if found.outlets["shrunken_share"].count():
        cited.add("morris")
        said.append("Shares drawn towards the mean of all outlets are empirical Bayes estimates (Morris, 1983).")
    if found.standardised is not None:
        cited.add("little")
        said.append(
            f"Topics ({found.standardised.n_topics}) were held equal by regression standardisation (Little, 1982)."
        )
    if found.words.height:
        cited.add("monroe")
        hold = found.words.filter(pl.col("p_adjusted") < 1 - found.level).height
        said.append(
            "Each outlet’s own words are ordered by the p-value of their log-odds with an informative Dirichlet prior (Monroe et al., "
            f"2008); {hold:,} of the {found.words.height:,} listed hold at a false discovery rate of {1 - found.level:.3g}."
        )
    if found.corrected is not None:
        cited |= {"angelopoulos", "egami", "franco"}
        reached = found.corrected.filter(pl.col("corrected_share").is_not_null()).height
        said.append(
            f"The classifier’s errors were corrected by {n_labels(found.corrected):,} hand labels of a stratified random sample with known chances (design-based "
            f"supervised learning, Egami et al., 2023, with the power tuning of Angelopoulos et al., 2023), which sufficed for {reached:,} of "
            f"{found.corrected.height:,} estimates. Their intervals are Wilson’s at the effective sample size (Franco et al., 2019); differences between outlets are those "
            "of corrected shares."
        )
        if found.agreement is not None and found.agreement.alpha is not None:
            cited.add("krippendorff")
            said.append(
                f"On the {found.agreement.n_sentences:,} sentences that several people labelled, Krippendorff’s (2004) alpha is "
                f"{found.agreement.alpha:.2f}."
            )
    else:
        said.append("The scores were not checked against labels by hand on these outlets.")
    return " ".join(said), tuple(_REFERENCES[key] for key in sorted(cited))


def _treatments(found: Comparison) -> Iterator[str]:
    """Where the runs were told something else than is usual."""
    for option, said in _TREATMENTS.items():
        n = sum(run.get(option) not in (None, "leave-out") for run in found.runs)
        if n:
            yield f"{said}{f' in {n} of the {len(found.runs)} runs' if n < len(found.runs) else ''}."
