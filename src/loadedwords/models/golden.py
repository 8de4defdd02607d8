"""Sentences whose scores travel with every bundle, so that `verify` can show that a machine computes the same.

Written by the authors of this package: neutral and loaded, with markup of speech, digits, accents and odd marks.
"""

GOLDEN_SENTENCES = (
    "The council approved the budget by nine votes to four on Tuesday.",
    "The mayor's shameless cronies rammed through their bloated vanity budget.",
    "Police said two people were injured when a bus left the road near Alder Bridge.",
    "The radical mob rampaged through the city while spineless officials looked on.",
    'The minister said the report was "a disgrace" and asked for a new inquiry.',
    "The so-called experts once again peddled their doom-mongering propaganda.",
    "Unemployment fell to 4.1% in March, the statistics office reported.",
    "In a stunning display of arrogance, the senator smugly dismissed grieving families.",
    "The court will hear the appeal on 14 June.",
    "A heroic band of patriots stood firm against the sinister elites.",
    "Researchers measured nitrate levels at 212 sites along the river.",
    "The regime's puppet parliament rubber-stamped yet another draconian law.",
    "Señora Núñez’s café reopened after the flood, 11 months later.",
    "Taxpayers are being fleeced to bankroll this ludicrous escapade.",
    "Shares in the company closed 2.3 percent lower.",
    "Why?",
)
