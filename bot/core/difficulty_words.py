"""Words by which a message looks like code, hard reasoning or a task, in seven languages; for `difficulty`.

Between commas, matched as whole words in any case; `*` stands for any ending. Chinese and Japanese write without
spaces, so their words are found anywhere.
"""

import re
from collections.abc import Mapping

CODE: Mapping[str, str] = {
    "en": "algorithm*, code review, compile error, compiler error, compiles, debug*, implement a, implement the, "
    "implement this, my code, pull request, refactor*, regex*, script that, segfault*, source code, stack trace, "
    "the code, this code, unit test*, write a function, write a program, write a script, write code",
    "de": "algorithmus, algorithmen, den code, der code, dieser code, diesen code, fehlermeldung*, kompilier*, "
    "mein code, meinem code, meinen code, programmier*, quellcode*, quelltext*, schreib* ein programm, "
    "schreib* ein skript, schreib* eine funktion, schreib* mir ein programm, schreib* mir ein skript",
    "es": "algoritmo*, código fuente, depura*, el código, este código, escrib* un programa, escrib* un script, "
    "escrib* una función, mi código, programa en, refactoriza*",
    "fr": "algorithme*, ce code, code source, débog*, écri* un programme, écri* un script, écri* une fonction, "
    "le code, mon code, refactoris*",
    "ru": "алгоритм*, исходный код, код на, мой код, напиши код, напиши программу, напиши скрипт, напиши функцию, "
    "отлад*, рефактор*, стектрейс*, этот код, этом коде",
    "zh": "代码, 代碼, 程式碼, 算法, 编程, 编译, 调试, 重构, 写一个函数, 写个函数, 写一个程序, 报错, 正则",
    "ja": "コード, アルゴリズム, デバッグ, コンパイル, リファクタ, 関数を書, プログラムを書, プログラムを作, 正規表現",
}
REASONING: Mapping[str, str] = {
    "en": "brain teaser, derivative of, derive the, equation*, integral of, logic puzzle, proof of, prove, proves, "
    "root cause, solve, step by step, step-by-step, theorem*, think carefully, think hard, trade-offs",
    "de": "ableitung von, berechne*, beweis*, denk* gut nach, gleichung*, herleit*, integral von, löse, logikrätsel, "
    "schritt für schritt, theorem*",
    "es": "calcula, demostra*, demuestra*, ecuaci*, integral de, paso a paso, resuelv*, teorema*",
    "fr": "calcule, démontr*, équation*, étape par étape, intégrale de, pas à pas, prouve*, résou*, théorème*",
    "ru": "вычисли*, докажи*, доказат*, доказательств*, интеграл*, пошагово, реши, решите, теорем*, уравнени*, "
    "шаг за шагом",
    "zh": "证明, 證明, 推导, 方程, 定理, 一步一步, 逐步, 求解, 积分, 仔细思考",
    "ja": "証明, 方程式, 定理, ステップバイステップ, 積分, 微分, 解いて, よく考え, 導出",
}
TASK: Mapping[str, str] = {
    "en": "analyse*, analyze*, compare*, difference between, draft, essay, explain*, plan for, pros and cons, review, "
    "rewrite, summar*, translat*, why does, why is",
    "de": "analysier*, aufsatz, entwirf, erklär*, fasse, übersetz*, unterschied zwischen, vergleich*, "
    "vor- und nachteile, warum, zusammenfass*",
    "es": "analiza*, compara*, diferencia entre, ensayo, explica*, por qué, redacta*, resum*, traduc*",
    "fr": "analyse*, compare*, différence entre, explique*, pourquoi, rédige*, résum*, tradui*",
    "ru": "объясн*, переведи*, перескаж*, почему, проанализируй*, разница между, сравни*, суммируй*, эссе",
    "zh": "解释, 解釋, 总结, 總結, 翻译, 翻譯, 比较, 比較, 分析, 为什么, 為什麼, 区别",
    "ja": "説明, 要約, 翻訳, 比較, 分析, なぜ, 違い, 教えて",
}
PROGRAMMING: Mapping[str, str] = {
    "any": "bash, c#, c++, css, django, docker*, fastapi, golang, html, java, javascript, json, kotlin, kubernetes, "
    "linux, mongodb, node.js, numpy, pandas, php, postgres*, powershell, python, sql, typescript, yaml",
}

_UNSPACED = ("zh", "ja")
#: Letters of the languages with spaces: 用python写 has a word of its own in the middle.
_LETTER = "[A-Za-z0-9_\u00c0-\u024f\u0400-\u04ff]"


def pattern(table: Mapping[str, str]) -> re.Pattern[str]:
    """What finds any word of a table."""
    spaced = [_spaced(word) for name, words in table.items() if name not in _UNSPACED for word in words.split(", ")]
    anywhere = [re.escape(word) for name in _UNSPACED if name in table for word in table[name].split(", ")]
    return re.compile("|".join([f"(?<!{_LETTER})(?:{'|'.join(spaced)})(?!{_LETTER})", *anywhere]), re.IGNORECASE)


def _spaced(word: str) -> str:
    return re.escape(word).replace(r"\*", f"{_LETTER}{{0,20}}").replace(r"\ ", r"\s{1,3}")
