"""The jobs, from seeds: chat requests of exactly known size, whose prompts read like English.

The size is what the simulated provider counts: a quarter of the prompt's characters, rounded up, one for the message and one for
the whole, and max_tokens. Its rule is crates/simulator/src/prompt.rs.
"""

import json
import random

MODEL = "gpt-4o-mini"
FRAME = 2

OPENINGS = (
    "Summarise the following notes for a colleague who was away.",
    "Explain what went wrong and what should be tried first.",
    "List the decisions in this report, and who has to act on each.",
    "Rewrite this passage so that a newcomer understands it.",
    "Which of these claims are supported by the figures, and which are not?",
    "Translate the complaint below into three testable requirements.",
)

WORDS = """
the the the the of of of and and to to in in a a is was that for on with as by from at which after before while because although
quarterly forecast shipment warehouse inventory supplier delay invoice refund customer complaint escalation backlog sprint
deployment rollback latency throughput timeout cache replica partition checksum migration schema index transaction ledger
audit compliance regulation tariff harbour container vessel pilot crew voyage weather barometer thunderstorm drought
irrigation orchard vineyard harvest fertiliser seedling greenhouse pollination nitrogen phosphorus membrane enzyme protein
antibody placebo cohort biopsy diagnosis symptom fracture physiotherapist ward pharmacist dosage archive manuscript
parchment watercolour sculpture exhibition curator symphony violoncello rehearsal libretto translation dialect grammar
metaphor curriculum semester scholarship laboratory microscope spectrometer telescope asteroid orbit trajectory satellite
antenna transmitter amplifier resistor voltage turbine reservoir aqueduct viaduct locomotive timetable passenger platform
junction commuter bicycle pavement architect scaffold mortar plaster chimney insulation mortgage tenant landlord statute
witness testimony verdict appeal parliament referendum constituency ballot treaty embassy consul frontier glacier moraine
estuary lagoon archipelago peninsula lighthouse cormorant porcupine salamander hedgehog beetle dragonfly chrysalis
showed measured rejected postponed approved described compared replaced inspected repaired calculated estimated questioned
roughly unexpectedly repeatedly allegedly seldom thoroughly anonymous preliminary intermittent redundant fragile ambiguous
""".split()

NAMES = ("Okonkwo", "Lindqvist", "Marchetti", "Nakamura", "Abernathy", "Szymanski", "Delacroix", "Venkataraman")


def prose(rng, characters):
    """English words in sentences, exactly so many characters."""
    text = rng.choice(OPENINGS)
    while len(text) < characters:
        words = [rng.choice(WORDS) for _ in range(rng.randint(6, 16))]
        if rng.random() < 0.5:
            words.insert(rng.randrange(len(words)), rng.choice(NAMES))
        if rng.random() < 0.5:
            words.insert(rng.randrange(1, len(words)), f"{rng.randint(2, 99999):,}")
        if rng.random() < 0.3:
            words.insert(rng.randrange(1, len(words)), f"(see §{rng.randint(1, 40)}.{rng.randint(1, 9)})")
        sentence = " ".join(words)
        text += f" {sentence[0].upper()}{sentence[1:]}."
    return text[: characters - 1].rstrip().ljust(characters - 1, "!") + "."


def sizes(rng, count, least, most, total):
    """So many sizes between `least` and `most`, both of which occur, most of them small, with exactly this sum."""
    drawn = [min(most, least + int(rng.expovariate(count / (total - count * least)))) for _ in range(count - 2)]
    excess = sum(drawn) + least + most - total
    while excess:
        place = rng.randrange(len(drawn))
        step = -1 if excess > 0 else 1
        if least <= drawn[place] + step <= most:
            drawn[place] += step
            excess += step
    drawn += [least, most]
    rng.shuffle(drawn)
    return drawn


def job(seed, count, least, most, total):
    """The bodies of so many requests, of `total` tokens together."""
    rng = random.Random(seed)
    bodies = []
    for size in sizes(rng, count, least, most, total):
        words = round((size - FRAME) * rng.uniform(0.3, 0.7))
        content = prose(rng, 4 * words)
        bodies.append({
            "model": MODEL,
            "messages": [{"role": "user", "content": content}],
            "max_tokens": size - FRAME - words,
        })
    assert sum(prompt_tokens(body) + body["max_tokens"] for body in bodies) == total
    return bodies


def prompt_tokens(body):
    """The prompt as the simulated provider counts it."""
    return sum(-(-len(message["content"]) // 4) + 1 for message in body["messages"]) + 1


def write(bodies, path):
    """One body a line."""
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(json.dumps(body) + "\n" for body in bodies)


LONG = dict(seed=1, count=300, least=45, most=1979, total=89_855)
SMALL = dict(seed=2, count=120, least=45, most=160, total=9_600)
MANY = dict(seed=3, count=2000, least=45, most=1979, total=600_000)
