#!/usr/bin/env python3
"""Writes the sentence pairs and the figures of sacreBLEU that bleu_test.cpp compares ours with.

Usage: bleu_reference.py [--check] [--multi30k FOLDER] [FILE]

FILE is bleu_reference.jsonl beside this script. With --check nothing is written; the exit code is 1 if the file is not
what this script would write. With --multi30k the pairs are Multi30k's test sentences (never kept with the sources):
write them to a FILE elsewhere and run MOESCOPE_BLEU_REFERENCE=FILE analysis_test --gtest_filter='Bleu*'.
Needs sacreBLEU 2.x: pip install sacrebleu. The sentences are put together from parts written for this file.
"""
import argparse
import gzip
import json
import random
import sys
from pathlib import Path

import sacrebleu
from sacrebleu.metrics import BLEU
from sacrebleu.tokenizers.tokenizer_13a import Tokenizer13a

SEED = 20240531
PAIRS_PER_LANGUAGE = 55
NBSP, NARROW, SHY = "\u00a0", "\u202f", "\u00ad"

# language: (who, does what, how it ends). Every choice of three parts is a sentence.
PARTS = {
    "de": (
        ["Die Nachbarin von oben", "Der alte Uhrmacher", "Das Mädchen mit dem roten Schal", "Ein Händler aus Görlitz",
         "Die Pilotin der Frühmaschine", "Unser Bäcker", "Der Lok-Führer", "Frau Dr. Weiß"],
        ["kaufte gestern 3,5 kg Äpfel", "zählte 1.250 Stufen bis zum Turm", "rief laut: „Morgen fährt kein Zug!“",
         "fand einen 20-Euro-Schein unter dem Tisch", "schrieb an info@beispiel.example und bekam keine Antwort",
         "stellte die Uhr um 7:45 Uhr auf Winterzeit um", "übte das Lied &quot;Über den Fluss&quot; auf der Geige",
         "las in § 12 Abs. 3, dass Größe kein Grund ist", "mischte Mehl, Milch/Wasser und 50 % Zucker"],
        [" und ging nach Hause.", ", obwohl es in Strömen regnete.", "; danach blieb es still.",
         " – niemand wusste, warum ...", " (wie jeden Dienstag).", "!", " & lachte.", ", oder etwa nicht?"],
    ),
    "fr": (
        ["La voisine du troisième étage", "Le vieil horloger", "L'élève au manteau bleu", "Un marchand de Besançon",
         "Le garde-pêche", "Mme Lefèvre", "Notre boulanger", "L’ingénieure du pont"],
        [f"a demandé{NARROW}: «{NBSP}Où est passé le train{NARROW}?{NBSP}»", "a compté 1 250 marches jusqu'à la tour",
         "achète 2,5 kg de prunes chaque samedi", "a trouvé un billet de 20 € sous la table",
         "n'a pas lu la page 47-48 du manuel", "répète qu'aujourd'hui c'est l'été", "a payé 15 % de plus qu'en 2019",
         "écrit son nom en <b>gras</b> &amp; le souligne", "connaît l’œuvre d'un certain M. Dubois"],
        [" et rentre à la maison.", f" malgré la pluie{NBSP}!", ", comme d'habitude...", f"{NARROW}; puis plus rien.",
         " (c'est du moins ce qu'on dit).", " - personne ne sait pourquoi.", ", n'est-ce pas?", " à 18h30."],
    ),
    "es": (
        ["La vecina del tercero", "El viejo relojero", "La niña de la bufanda roja", "Un vendedor de Cádiz",
         "El jefe de la estación", "Doña Inés", "Nuestro panadero", "El señor Núñez"],
        ["preguntó: «¿Adónde va este tren?»", "contó 1.250 escalones hasta la torre", "compró 3,5 kilos de piñas",
         "encontró un billete de 20 € debajo de la mesa", "gritó: ¡Mañana no hay clase!",
         "vive en la calle Mayor, n.º 14-B", "leyó el capítulo 7/8 &lt;sin prisa&gt;", "pagó un 15% más que en 2019",
         "dijo que su perro pesa (casi) 12 kg"],
        [" y se fue a casa.", ", aunque llovía a cántaros.", "; después hubo silencio.", " — nadie supo por qué…",
         ", ¿verdad?", ".", " como todos los martes.", " a las 19:05 h."],
    ),
    "ru": (
        ["Соседка сверху", "Старый часовщик", "Девочка в красном шарфе", "Торговец из Твери", "Наш пекарь Семён",
         "Врач-терапевт", "Начальник станции № 4", "Тётя Оля"],
        ["покупает 3,5 кг яблок", "насчитывает 1250 ступеней до башни", "спрашивает: «Куда идёт этот поезд?»",
         "находит 20 рублей под столом", "читает §12, п. 3 ещё раз", "живёт в доме 14-Б",
         "платит на 15% больше, чем в 2019-м", "пишет &quot;нет&quot; на двери"],
        [" и идёт домой.", ", хотя льёт дождь.", "; потом становится тихо.", " — никто не знает почему…", "!",
         " (как всегда).", ", не так ли?", " в 18:30."],
    ),
}

# For the tokens alone: what the rules tell apart, thrown together.
PIECES = ["a", "Z", "7", "42", ".", ",", "-", "'", "\"", "&", "<", ">", "(", ")", "/", ":", ";", "!", "?", "@", "[", "]",
          "^", "_", "`", "{", "|", "}", "~", "#", "$", "%", "*", "+", "=", "\\", " ", "  ", "\t", "\n", "-\n", "\r", "\x1c",
          "\x1f", "\x7f", "\u0085", NBSP, NARROW, SHY, "\u2003", "\u2028", "\u200b", "\u3000", "\u1680", "\u205f", "\ufeff",
          "é", "ß", "Ж", "中", "٣", "…", "„", "“", "–", "\U0001f642", "e\u0301", "&quot;", "&amp;", "&lt;", "&gt;", "&amp;lt;",
          "&apos;", "<skipped>", "1,000.5", "3-4", "x-y"]

# Corners of the formula: (hypothesis, reference) pairs of one small corpus each.
CORNERS = {
    "identical": [("Every word is the same here.", "Every word is the same here.")],
    "nothing shared": [("one two three four five", "six seven eight nine ten")],
    "one word shared": [("red blue green black white", "red house door tree lamp")],
    "pairs but no triples": [("a b x c d y e f", "a b z c d w e f")],
    "too short for four": [("a b c", "a b c"), ("x y", "x y")],
    "no hypothesis": [("", "something was said"), ("  \u00a0 ", "twice")],
    "no reference": [("something was said here", "")],
    "both empty": [("", "")],
    "one empty": [("", "this one is missing"), ("the other one is here now", "the other one is here now")],
    "short hypothesis": [("the cat sat on", "the cat sat on the mat by the door")],
    "long hypothesis": [("the cat sat on the mat by the door", "the cat sat on")],
    "repeated words": [("the the the the the the the", "the cat is on the mat and the dog")],
    "case": [("The Cat Sat On The Mat", "the cat sat on the mat")],
    "trailing hyphen": [("a word is cut off-\n", "a word is cut off-")],
}


def sentences(parts, rng):
    who, what, end = parts
    triples = [(a, b, c) for a in who for b in what for c in end]
    rng.shuffle(triples)
    return ["".join((a, " ", b, c)) for a, b, c in triples[:PAIRS_PER_LANGUAGE]]


def perturbed(sentence, words, rng):
    """A worse translation: words left out, exchanged, replaced or said twice."""
    out = sentence.split(" ")
    for _ in range(rng.randrange(4)):
        at = rng.randrange(len(out))
        change = rng.randrange(4)
        if change == 0 and len(out) > 1:
            del out[at]
        elif change == 1 and at + 1 < len(out):
            out[at], out[at + 1] = out[at + 1], out[at]
        elif change == 2:
            out[at] = words[rng.randrange(len(words))]
        else:
            out.insert(at, out[at])
    return " ".join(out)


def pairs_from(references, rng):
    words = [word for sentence in references for word in sentence.split(" ")]
    return [(perturbed(reference, words, rng), reference) for reference in references]


def own_corpora(rng):
    corpora = {language: pairs_from(sentences(parts, rng), rng) for language, parts in PARTS.items()}
    corpora["all"] = [pair for language in PARTS for pair in corpora[language]]
    return {**corpora, **CORNERS}


def multi30k_corpora(folder, rng):
    corpora = {}
    for language in ("en", "de", "fr"):
        with gzip.open(folder / f"test_2016_flickr.{language}.gz", "rt", encoding="utf-8") as file:
            corpora[f"multi30k {language}"] = pairs_from([line.rstrip("\n") for line in file], rng)
    return corpora


def figure(name, pairs):
    bleu = BLEU().corpus_score([hypothesis for hypothesis, _ in pairs], [[reference for _, reference in pairs]])
    return {"corpus": name, "score": bleu.score, "precision": bleu.precisions, "matched": bleu.counts,
            "total": bleu.totals, "brevity_penalty": bleu.bp, "hypothesis_length": bleu.sys_len,
            "reference_length": bleu.ref_len}


def lines(corpora, token_lines):
    """The header, then tokens, then each corpus: its pairs and its figure. "all" repeats no pair."""
    yield {"generator": "sacreBLEU", "version": sacrebleu.__version__}
    tokenize = Tokenizer13a()
    for line in token_lines:
        yield {"sentence": line, "tokens": tokenize(line.rstrip()).split()}
    for name, pairs in corpora.items():
        if name != "all":
            for hypothesis, reference in pairs:
                yield {"corpus": name, "hypothesis": hypothesis, "reference": reference}
        yield figure(name, pairs)


def main():
    beside = Path(__file__).with_suffix(".jsonl")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--multi30k", type=Path, metavar="FOLDER")
    parser.add_argument("file", nargs="?", type=Path, default=beside)
    arguments = parser.parse_args()
    if arguments.multi30k and arguments.file == beside:
        parser.error("Multi30k's sentences do not belong among the sources; name another file")

    rng = random.Random(SEED)
    corpora = multi30k_corpora(arguments.multi30k, rng) if arguments.multi30k else own_corpora(rng)
    token_lines = ["".join(rng.choice(PIECES) for _ in range(rng.randrange(1, 25))) for _ in range(120)]
    text = "".join(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n"
                   for line in lines(corpora, token_lines))
    if not arguments.check:
        arguments.file.write_text(text, encoding="utf-8", newline="\n")
    elif not arguments.file.exists() or arguments.file.read_bytes() != text.encode():
        print(f"{arguments.file} is not what sacreBLEU {sacrebleu.__version__} gives; run without --check")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
