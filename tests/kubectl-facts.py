#!/usr/bin/env python3
"""Asks real kubectls how they read YAML and writes what they say to src/yaml/kubectl_facts.json, to which the unit tests hold
src/yaml/kubectl.rs. Run it by hand after a change of the questions; it needs no cluster:

    tests/kubectl-facts.py KUBECTL [KUBECTL...]

`kubectl annotate --local` prints an object as kubectl has read it. The kubectls must agree; a question on which they do not is
answered with null, as is one that kubectl refuses.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

OUT = pathlib.Path(__file__).parent.parent / "src/yaml/kubectl_facts.json"
HEAD = "apiVersion: x.example/v1\nkind: X\nmetadata: {name: NAME}\n"

WORDS = "null Null NULL nULL ~ true True TRUE tRUE false False FALSE yes Yes YES yEs no No NO on On ON off Off OFF y Y n N t f"
WORDS += " ~~ nil none true1 yes! ok"
INTEGERS = "0 1 -1 +1 -0 +0 00 007 0644 -0644 +0644 08 09 0644_0 089 0o17 0O17 -0o17 +0o17 0o8 0o 0x 0x1F 0X1f 0xfg -0x1f +0x1F"
INTEGERS += " 0b101 0B101 -0b101 +0b101 0b2 0b 1_000 1__0 1_ _1 -_1 -1_ 0_ 0x_1f 0x1_f 0b1_0 0o1_7 0_7 123456789012345678"
INTEGERS += " 9007199254740993 9223372036854775807 9223372036854775808 -9223372036854775808 -9223372036854775809"
INTEGERS += " 18446744073709551615 18446744073709551616 0x7fffffffffffffff 0xffffffffffffffff 0x10000000000000000"
INTEGERS += " 0777777777777777777777 01777777777777777777777 02000000000000000000000 123456789012345678901234567890"
INTEGERS += " --1 ++1 +-1 1- 1+ 1a - + 1,000 12e 12:30:45 1:20 190:20:30 0.0.0.0 10.0.0.1/8 1Gi 100m 1.2.3 1/2 0x1.8 0x1p4 0x1.8p1"
INTEGERS += " ١ 0b11111111 -0b 0b-1 0x-1 0b1111111111111111111111111111111111111111111111111111111111111111"
FLOATS = "1.0 1.5 -1.5 +1.5 .5 -.5 +.5 5. -5. . .. ... ._5 .5_0 1_000.5 1._5 1.5_ 1e3 1E3 1e+3 1e-3 1.5e3 1.e3 .5e3 -.5e-3 1e 1e+ e3"
FLOATS += " 1e400 -1e400 1e308 5e-324 1e-400 1e20 1e21 123456789e15 1e-6 1e-7 0.000001 0.0000001 0.1 0.30000000000000004"
FLOATS += " 1.7976931348623157e308 1.7976931348623159e308 100000000000000000000.0 1e18 1e19 9223372036854775807.0 -0.0 -0e0 0e5 00.5"
FLOATS += " 01.5 08.5 .inf .Inf .INF -.inf +.inf .iNF .nan .NaN .NAN .Nan -.nan inf nan NaN Infinity 1_0e1_0 .5e .e5 0.0 +0.0 1e0 1.0e1"
FLOATS += " 3.14159265358979323846 4.35 1234567.0 123456789012345680000 2.5e15 2.5e17 .0x5 .5p1 .1_ 1e3_ 1e_3 6e5f"
TIMES = "2001-01-01 2001-1-1 2001-01-01T00:00:00Z 2001-12-14t21:59:43.10-05:00 2001-13-01 20010101 2001-01 2026-11-23"
TEXTS = "a a-b a:b :a ::: -a --- ?a a? =  << <<a @a `a %a a% !  & * | > a# a#b #a \\n 'a' \"a\" '' \"\" 'it''s' \"\\n\" a\\nb /a/b"
TEXTS += " $a ${A} {{x}} [] {} [a] {a} [,] [a,] [a,,b] {a:} {a:b} {a,b} {?} {a,b,} {\"a\":1} {'a':1} {\"a\": 1} [\"a\":1] [a: 1] [a:1]"
TEXTS += " {1:2} [-] [-a] [?] [?a] [:] [:a] [http://x] {u: http://x} {a: {b: {c: [d]}}} {a: b, a: c} {[a]: b} {{a: b}: c} a,b a]b a}b"
TEXTS += " {a: -1} [~] [null, ] [ ] { } {a: } {:} {: a} {a : b} [a #b] [a#b] {a?: b} [a?b] [a|b] [*x] {\"a\":} {a: b:c} {a: b:} [a:]"
TEXTS += " {\"a\":\"b\"} {\"a\":[1,2],\"b\":{\"c\":null}} [a [b]] [a\"b\"] [\"a\"\"b\"] {\"a\" \"b\"}"
LINES = [
    "!!str 1", "!!str", "!!str true", "!!str ~", "!!str 'a'", "!!str [a]", '!!int "1"', "!!int 1.5", "!!int a", "!!int 0x1f", "!!int '0644'",
    "!!int", "!!int 1e3", "!!float 1", '!!float "1.5"', "!!float a", "!!float 0644", "!!float 18446744073709551615", "!!float .inf",
    "!!bool true", "!!bool yes", '!!bool "on"', "!!bool 1", "!!bool a", "!!bool", "!!null ~", "!!null ''", "!!null a", "!!null",
    "!!null 'null'", "!!binary aGk=", "!!binary aGk", "!!binary 'aGk='", "!!binary ''", "!!binary a-_=", "!!binary /w==", "!!binary 4pyT",
    "!!binary aG k=", "!!binary AA==", "!!binary a", "!!binary aGl=", "!!binary 7aCA", "!!timestamp 2001-01-01", "!!timestamp a", "!!map {a: b}", "!!seq [a]", "!!map [a]",
    "!!set {a}", "!!omap [a: b]", "!!merge <<", "!!merge a", "!!foo 1", "!foo 5", "!foo bar", "! 5", "! true", "! '5'", "!foo {a: b}", "!foo [1]", "!",
    "!<tag:yaml.org,2002:str> 1", "!<tag:yaml.org,2002:int> '1'", "!<x> 1", "!e!x 1", "!!str &x 1", "&x !!str 1", "&x", "&x 1", "*x",
    "!!value =", "!!float '1_0.5'", "!!int '1_0'", "!!float '.inf'", "!!str <<", '!!bool ""', "!!int ''",
    "a b", "a  b", "a # b", "a\t# b", "a\tb", "\ta", "a\t", "a: b", "a : b", "a:", "a :b", "- a", "-\ta", "? a", "?", ": a", "a, b", "a #", "'a' # b", "'a'#b", "'a' b",
    '"a" b', '"a"b', "[a] b", "[a]b", "{a: b} # c", "[a] # c", "[a]#c", "a & b", "a * b", "a ! b", "a | b", "a > b", "a % b", "a @ b", "-  a", "1 2", "0 # x", "true # x",
    "true x", "! a", "& a", "* a", "*", "&", "'a", '"a', "[a", "{a", "a]", "a}", "]", "}", ",", ",a", ", a", "%", "@", "`", "%a", "#", "# a", "<< ", "=",
    r'"\0\a\b\t\n\v\f\r\e\ \"\/\\\N\_\L\P"', r'"\x41\u0041\U00000041"', r'"\x4"', r'"\u004"', r'"\ud83d\ude00"', r'"\ud800"', r'"\U0001f600"',
    r'"\U00110000"', r'"\q"', r'"\'"', r'"\x85\x9f\xff"', r'"\u0000"', r'"\ufeff\ufffe\uffff"', r'"\	"', r"'\n'", '"a\tb"', "'a\tb'", '" a "', "' a '", '"é😀"',
    "é", "😀", "\u00a0", "\u00a0a", "a\u00a0", "\u2028", "a\u2028b", '"a\u2028b"', "a\u2029b", "a\u0085b", '"a\u0085b"', "'a\u0085 b'", "a\ufeffb", '"a\ufeffb"', "\ufeff", "\ufffd",
    "a\u0001b", '"a\u0001b"', "a\u007fb", '"a\u007fb"', "a\u0080b", "a\u009fb", "a\ufffeb", "a\uffffb", "\U0010ffff", "a\x00b", "a\x1bb", "\u200b", "\u202e", "\u3000a",
    "a\rb", '"a\rb"', "a\r", "'a'\r", "'a'\r# b", "a\x0bb", "a\x0cb", "\x0ba", "\u00adx", "\ud7ff", "\ue000",
    "{a: b\n  c: d}", "[a,\nb]", "[a,\n  b]", "{a: 1,\n  b: 2\n  }", "{a: 1\n}", "[\n  a,\n  b,\n  ]", "{\n  \"a\": 1,\n  \"b\": [1, 2]\n  }", "{\n\t\"a\": 1\n  }", "[a,\t b]", "[\ta ]", "[a\n  b]", "{a\n  : b}", "{\"a\"\n  : b}", "{\"a\n  b\": c}", "[a\n   # c\n  ,b]", "[a, # c\n  b]", "[a,#c\n  b]",
    "{a: b\n\n  c}", "{a:\n  b}", "{a\n  b: c}", "{? a : b}", "{? a}", "{? a, b: c}", "{? : b}", "[? a : b]", "[a: b, c: d]", "[{a: b}: c]", "[[a]: b]", "{!!str 1: 2}", "{&x a: *x}", "{*x : b}",
    "{a: !!str, b: c}", "{a: !!str , b: &x , c: *x }", "[&x a, *x]", "[&x a,*x]", "{a: &x b, c: *x}", "[a,b]", "{a: b,c: d}", "{a: b,c:d}", "[!!str,a]", "[&x,a]", "{a: [b, c}, d]",
    "a\n  b", "a\n\n  b", "a\n\n\n  b", "a \n  b ", "a\n  # c\n  b", "a # c\n  b", "a\n b", "a\nb", "a\n   b\n  c", "a\n  b: c", "a\n  - b", "a\n\tb", "a\n  \tb", "a\n \n  b", "a\n \t\n  b", "a\\\n  b", "\n  a", "\n\n  a", "\n  a\n  b", "# c\n  a", "\n  # c\n  a", "\n a", "\na", "\n\ta", "\n  'a'", "\n  [a]", "\n   - a\n   - b", "\n- a\n- b", "\n  - a\n  - b", "\n - a", "\n  - a\n - b", "\n  - a\n   - b", "\n   - a\n  - b", "\n  -a", "\n  -", "\n  -\n  -", "\n  -\n  - a", "\n  - \n    a", "\n  - # c\n    a", "\n  - - a\n    - b", "\n  -   a: b\n      c: d", "\n  - a: b\n    c: d", "\n  - a: b\n   c: d", "\n  - a: b\n  c: d", "\n  -\ta", "\n  -\ta: b", "\n  - \ta", "\n  - \ta: b", "\n  -\t- a", "\n  - \t- a", "\n  - a\n\n  - b", "\n  - ? a\n    : b", "\n  - : a", "\n  - a:\n    - b", "\n  - a:\n      - b",
    '"a\n  b"', '"a\n\n  b"', '"a\\\n  b"', '"a \\\n  b"', '"a\\\n   \\ b"', '"a\n\tb"', '"a\n  \tb"', '"a \t\n  b"', '"a\nb"', '"\n  a"', '"a\n  "', '"\n\n  a\n\n  "', '"a\n # b"', '"a\n--- b"', '"a\n---b"', '"a\n... "', "'a\n  b'", "'a\n\n  b'", "'a\nb'", "'a \n  b'", "'\n  a'", "'a\n\tb'", "'a''\n  b'", '"a\\n\n  b"', '"a\\  \n  b"', '"a\\\t\n  b"', '" \n  a"', '"\\ \n  a"',
    "*x\nw: &x 1", "&x 1\n  w: *x", "&x a\nw: *x", "&x [1, 2]\n  w: *x", "&x\n  a: b", "&x\n  - a", "&x\n- a", "!!map\n  a: b", "!!seq\n- a", "&x {a: b}\n  w:\n    <<: *x", "!!str\n  a", "!!str\n  a: b", "&x a: b", "\n  &x a: b", "\n  &x a: *x", "\n  *x : b", "\n  !!str a: b", "\n  !!str a: !!int '1'",
    "\n  ? a\n  : b", "\n  ? a", "\n  ? a\n  ? b", "\n  ? - a\n  : b", "\n  ? [a]\n  : b", "\n  ? |\n    a\n  : b", "\n  ?a: b", "\n  : b", "\n  ? a: b\n  : c", "\n  a: b\n  : c", "\n  [a]: b", "\n  [a, b]: c", "\n  {a: b}: c", "\n  'a': b", "\n  'a':b", "\n  \"a\":b", "\n  'a' : b", "\n  a : b", "\n  a:  b", "\n  a:\tb", "\n  a\t: b", "\n  'a'\t: b", "\n  a:b", "\n  a:b: c", "\n  a: b: c", "\n  a:: b", "\n  a b: c", "\n  a, b: c", "\n  a#b: c", "\n  a #b: c", "\n  -a: b", "\n  - a: b: c", "\n  http://x: b", "\n  a: b\n   c: d", "\n  a: b\n c: d", "\n  a:\n  b: c", "\n  a:\n  b", "\n  a:\n   b", "\n  a:\n b", "\n  a\n  : b", "\n  a\n  b: c", "\n  'a\n  b': c", "\n  \"a\n  b\": c", "\n  a: 'b\n  c'\n  d: e", "\n  a: b\n\n\n  c: d", "\n  a: b\n# c\n  c: d", "\n  a: b\n   # c\n  c: d", "\n  a: b\n\t# c\n  c: d", "\n  a: b\n  \t# c\n  c: d", "\n  a: b\n\t\n  c: d", "\n  a: b\n  \t\n  c: d", "\n  a: b\n \n  c: d", "\n\ta: b", "\n  \ta: b", "\n  a: b\n  \tc: d", "\n  a: b\t\n  c: d", "\n  a:\t\n    b: c", "\n  a: \t\n    b: c", "\n  a:\t- b", "\n  a: - b", "\n  a: ? b", "\n  a: | b", "\n  a:   # c\n    b: c", "\n  a:# c", "\n  a: # c\n  b: d", "\n  " + "k" * 1000 + ": a", "\n  " + "k" * 1030 + ": a", "\n  '" + "k" * 1030 + "': a", "\n  ? " + "k" * 1030 + "\n  : a", "{" + "k" * 1030 + ": a}", "{\"" + "k" * 1030 + "\": a}",
    "\n  ? a\n  :\n    - b", "\n  ? a\n  : - b\n    - c", "\n  ?\n    a\n  :\n    b", "\n  ? a\n\n  : b", "\n  ? a # c\n  : b", "\n  ? a\n  # c\n  : b",
]
KEYS = "1 1.5 0644 0x1f 1e3 1e100 1e21 0.1 3.14159265358979 16777217.0 123456789.5 true yes on off n null ~ .inf -.inf .nan 18446744073709551615 9223372036854775808"
KEYS += " 9223372036854775807 -1 2001-01-01 '1' \"1\" !!str&1 !!int&'1' !!binary&aGk= !!null&a <<a = -0 -0.0 0.0 1_000 .5 1e-7 1e-5 !!float&1 !foo&1 !!bool&'yes' '<<' !!null&~ 1.0 100000.0 1000000.0 123456.7"
KEYS += " 1234567.0 12345678.0 2000000000000.0 1e20 1e22 0.00001 0.0001 1e39 -1e39 1e-50 -1.5 2e5 16777216.5 0.30000000000000004"
# Of keys that become the same text, such as 1 and '1', kubectl takes one by chance: do not ask.
MAPS = [
    "a: 1\n  a: 2", "a: 1\n  'a': 2", "1: a\n  1: b", "1: a\n  0x1: b", "true: a\n  yes: b",
    "x: &x {a: 1, b: 2}\n  <<: *x", "x: &x {a: 1, b: 2}\n  v: {<<: *x}", "x: &x {a: 1, b: 2}\n  v: {<<: *x, a: 3}", "x: &x {a: 1, b: 2}\n  v: {a: 3, <<: *x}",
    "x: &x {a: 1}\n  y: &y {a: 2, b: 3}\n  v: {<<: [*x, *y]}", "x: &x {a: 1}\n  y: &y {a: 2, b: 3}\n  v: {<<: [*y, *x], c: 4}", "x: &x {a: 1}\n  y: &y {a: 2, b: 3}\n  v: {<<: *x, <<: *y}",
    "x: &x {a: 1}\n  y: &y {<<: *x, b: 3}\n  v: {<<: *y}", "v: {<<: {a: 1}, b: 2}", "v: {<<: [{a: 1}, {b: 2}], c: 3}", "v: {<<: 1}", "v: {<<: [1]}", "v: {<<: ~}", "v: {<<: []}", "v: {<<: {}}", "v: {<<: [[{a: 1}]]}",
    "v: {'<<': {a: 1}}", "v: {\"<<\": {a: 1}}", "v: {!!merge <<: {a: 1}}", "v: {!!merge '<<': {a: 1}}", "v: {!!str <<: {a: 1}}", "v: {<<: &x {a: 1}, b: *x}", "x: &x [1]\n  v: {<<: *x}", "x: &x 1\n  v: {<<: *x}", "x: &x [{a: 1}]\n  v: {<<: *x}", "x: &x {a: 1}\n  v: {<<: [*x, {a: 2}], b: 1}",
    "x: &x {a: {b: 1}}\n  v: {<<: *x, a: {c: 2}}", "x: &x {a: 1}\n  v:\n    <<: *x\n    a: 2", "x: &x {a: 1}\n  v:\n    a: 2\n    <<: *x", "x: &x {a: 2}\n  v:\n    a: 2\n    <<: *x",
    "x: &x {a: {b: 1}}\n  v:\n    a: {c: 2}\n    <<: *x", "x: &x {a: 1}\n  v:\n    <<: *x\n    <<: *x", "v: {<<: [*x]}\n  x: &x {a: 1}", "v: {! <<: {a: 1}}",
    "a: &a 1\n  b: *a", "a: &a [1, 2]\n  b: *a", "a: &a {b: c}\n  d: *a", "a: &a 1\n  b: &a 2\n  c: *a", "a: &a [*a]", "a: *b", "&k a: 1\n  b: *k", "a: &a\n  b: *a", "a: &a x\n  *a : y", "a: &a x\n  *a: y", "a: &a-b_1 1\n  b: *a-b_1", "a: &a.b 1\n  b: *a.b", "a: &é 1\n  b: *é", "a: &a 1\n  b: [*a, *a]", "a: &a 1\n  b: [*a,*a]", "a: &a 1\n  b: {c: *a}", "a: &a 1\n  b: {*a : c}", "a: &a 1\n  b: {*a: c}", "a: &a !!str 1\n  b: *a", "a: &a 'x'\n  b: *a", "a: &a |\n    x\n  b: *a", "a: &a 1\n  b: &b *a", "a: &a 1\n  b: !!str *a", "a: &a\n    b: c\n  d: *a", "a: &a\n  - b\n  d: *a", "a: &a/b 1\n  b: *a/b", "a: &a: 1\n  b: *a:", "a: &a 1\n  b: *a # c", "a: &a 1\n  b: *a#c", "a: &a [1]\n  b: [*a]", "a: &a(b 1",
    "a: b\nc: d", "a: b\n c: d", "a:\n- b\n- c", "a:\n  - b\n  c: d", "a:\n    - b\n  c: d", "a:\n    b: c\n   d: e", "? a\n  : b",
]
HEADERS = ["|", "|-", "|+", ">", ">-", ">+", "|2", "|1", "|2-", "|-2", "|+2", ">2", "|0", "|10", "| # c", "|# c", "|-# c", "|\t", "| x", "|x", "|--", "|-  # c", "|\t# c", "!!str |", "&x |", "| ", "!!int |", "!!binary |"]
BODIES = [
    "    a\n    b\n", "    a\n    b\n\n", "    a\n    b\n\n\n", "\n    a\n", "\n\n    a\n  \n", "", "\n", "\n\n", "    a\n\n    b\n", "    a\n      b\n    c\n", "      a\n    b\n", "    a\n  b\n", "     a\n    b\n", "    a \n    b\t\n",
    "    \ta\n", "    a\n    \tb\n", "    # a\n", "    a\n  # c\n", "    a\n # c\n  # d\n", "    a\n# c\n    b\n", "    a: b\n    c: d\n", "    - a\n    - b\n", "    a\n   \n    b\n", "    a\n      \n    b\n", "      \n    a\n", "    \n    a\n", "   \n    a\n", "    a\n\t\n    b\n",
    "\ta\n", "   a\n", "  a\n", " a\n", "a\n", "    a\n    \n", "    a\n     \n", "    a\n   ", "    a", "    a\n    b", "    a\n\n\n      b\n\n\n    c\n", "    \n", "      ", "    'a'\n    \"b\"\n", "    a\n    ---\n    b\n", "    é\n    😀\n", "    a\n\n   # c\n\n", "      a\n       b\n      c\n", "    --- a\n", "    a\n    #b\n    c\n",
    "\n\n\n", "      \n\n    a\n", "    1\n", "    aGk=\n", "    aG\n    k=\n", "    ~\n", "\t\n    a\n", "    \t\n    a\n", "    a\n    \t\n", "    a\n  \t\n", "    a\n \t\n    b\n", "    a\n\n  # c\n    b\n",
]
DOCUMENTS = [
    "", "\n", "# only a comment\n", "---\n", "---\n---\n", "---\n# a\n---\n# b\n", "~\n", "null\n", "...\n", "---\n...\n", "a\n", "[]\n", "1\n", "'a'\n", "{}\n", "[1]\n", "a: b\n", "\ufeff", "\ufeff---\n", "#\n---\n#\n...\n", "\"\"\n", "''\n", "!!null a\n", "|\n", " \n", "\t\n", "--- \n", "---\t\n",
]
X = HEAD + "spec: {v: 1}\n"
Y = HEAD + "spec: {v: 2}\n"
DOCUMENTS += [
    X, "---\n" + X, X + "---\n" + Y, X + "---\n", X + "---", X + "---\n# nothing\n---\n" + Y, X + "--- # comment\n" + Y, X + "---# comment\n" + Y, X + "---  \n" + Y, X + "---\t\n" + Y, X + "--- a\n" + Y, X + "--- {a: b}\n", X + " ---\n" + Y,
    X + "...\n", X + "...\n---\n" + Y, X + "...\n" + Y, X + "... # c\n", X + "...\n# c\n", X + "...\n...\n", X + "---\n...\n---\n" + Y, X + "----\n", X + "---a\n", "--- " + X, "---\t" + X, "--- # c\n" + X, "---\n\n\n" + X, "\n\n" + X, "# c\n" + X, X + "# c\n", "\ufeff" + X, "\ufeff---\n" + X, "\ufeff# c\n" + X, X + "---\n\ufeff" + Y, X + "\ufeff", "\n\ufeff" + X, "---\n\ufeff" + X,
    "%YAML 1.1\n---\n" + X, "%YAML 1.2\n---\n" + X, "%YAML 1.0\n---\n" + X, "%YAML 2.0\n---\n" + X, "%YAML 1.1\n" + X, "%TAG !e! tag:example.com,2000:\n---\n" + X, "%FOO bar\n---\n" + X, "%YAML 1.1\n--- " + X, "# c\n%YAML 1.1\n---\n" + X, X + "...\n%YAML 1.1\n---\n" + Y, X + "---\n%YAML 1.1\n---\n" + Y, "%YAML 1.1 # c\n---\n" + X, "%YAML 1.1\n%YAML 1.1\n---\n" + X, X + "%YAML 1.1\n", X + "% x\n",
    X.replace("\n", "\r\n"), (X + "---\n" + Y).replace("\n", "\r\n"), (HEAD + "spec:\n  v: |\n    a\n    b\n").replace("\n", "\r\n"), (HEAD + "spec:\n  v: |+\n    a\n\n").replace("\n", "\r\n"), (HEAD + "spec:\n  v: a\n    b\n\n    c\n").replace("\n", "\r\n"), (HEAD + 'spec:\n  v: "a\n    b\\\n    c"\n').replace("\n", "\r\n"), X.replace("\n", "\r"), HEAD + "spec:\n  v: |\n    a\rb\n", HEAD + "spec: {v: 1}\r", HEAD + "spec: {v: 1}\r\r\n", HEAD + "spec:\n  v: |\n    a\r\r\n    b\r\n",
    HEAD + "spec:\n  v: |\n    a\n---\n" + Y, HEAD + "spec:\n  v: |+\n    a\n\n---\n" + Y, HEAD + "spec:\n  v: |+\n    a\n\n\n...\n", HEAD + "spec:\n  v: |\n    a", HEAD + "spec:\n  v: |-\n    a", HEAD + "spec:\n  v: |+\n    a", HEAD + "spec:\n  v: |+\n    a\n\n ", HEAD + "spec:\n  v: |\n    ---\n    a\n", HEAD + "spec:\n  v: \"a\n---\n  b\"\n", HEAD + "spec:\n  v: 'a\n    --- b'\n", HEAD + "spec:\n  v: a", HEAD + "spec:\n  v:", HEAD + "spec:\n  v: 'a'", HEAD + "spec:\n  v: 'a'  ",
    HEAD + "spec:\n  v: &a 1\n---\n" + HEAD + "spec:\n  v: *a\n", HEAD + "spec:\n  v: |\n    {{ x }}\n    %a\n    @b\n", HEAD + "spec: |\n a\n", HEAD + "spec: |\na\n", HEAD + "spec: >\n a\n b\n\n c\n", HEAD + "spec:\n- a\n- b: c\n  d: e\n", HEAD + "spec: a\n  b\n", HEAD + "spec: a\nb\n", HEAD + "spec: 'a\nb'\n", HEAD + "spec: [a,\nb]\n", HEAD + "spec: {v: 1\n}\n", HEAD + "spec: [\n1\n]\n", HEAD + "spec:\n" + HEAD, " " + X.replace("\n", "\n ").rstrip(" "), " " + X, X + " " + Y,
    HEAD + "# c\nspec: # d\n  # e\n  v: 1 # f\n  # g\n# h\n", HEAD + "spec:\n  v: '# no'\n  w: a#b\n  x: \"a # b\"\n", HEAD + "spec:\n  v: 1\nspec:\n  v: 2\n", HEAD + "spec:\n  é: ü\n  日本: 語\n  😀: 👍\n", HEAD + "spec:\n  v: 1\n\t\n", HEAD + "spec:\n  v: 1\n\t", HEAD + "spec:\n  v: 1\n  ", HEAD + "spec:\n  v: 1\n#", HEAD + "spec:\n  v: |\n    a\n#", HEAD + "spec:\n  v: |\n    a\n  #b",
]
J = '{"apiVersion": "x.example/v1", "kind": "X", "metadata": {"name": "NAME"}, "spec": %s}'
for spec in ['{"v": 1}', '{"v": 1.0}', '{"v": 1e3}', '{"v": 1.5e-7}', '{"v": 1e21}', '{"v": -0}', '{"v": -0.0}', '{"v": 9223372036854775807}', '{"v": 9223372036854775808}', '{"v": 18446744073709551615}', '{"v": 12345678901234567890123}', '{"v": 1e400}', r'{"v": "\ud83d\ude00"}', r'{"v": "\ud800"}', r'{"v": "\/\b\f\n\r\t\"\\\u0041"}', r'{"v": "\u0000\u0001\u007f\u0085\u2028\ufeff"}', '{"v": "\u2028\u0085\ufeff\x7f"}', '{"v": "a\tb"}', '{"v": "a\nb"}', r'{"v": "\x41"}', '{"v": 1, "v": 2}', "{'v': 1}", "{v: 1}", '{"v": yes}', '{"v": 0644}', '{"v": 01}', '{"v": +1}', '{"v": .5}', '{"v": "y"}', '{"v": [1, 2,]}', '{"v": null}', '{"v": {"<<": {"a": 1}}}', '{"v": "&lt;<>&"}', '{"v": true} # c', '{"v":\t1}', '{"v":\r\n1}', '{"v": NaN}', '{"v":1,"w":[],"x":{},"y":"","z":[[],{}]}', '[]', '"a\\u00e9"', "1 // c", '{"v": 123456789.123456789}', '{"v": 0.1}', '{"v": 1E5}', '{"v": 100000000000000000000}', '{"V": 1, "v": 2}']:
    DOCUMENTS += [J % spec, HEAD + "spec: " + spec + "\n", X + "---\n" + J % spec + "\n"]
j = J % '{"v": 1}'
DOCUMENTS += [
    j + "\n" + j, j + j, j + "\n---\n" + j, j + "\n---\n" + X, j + "\n" + X, "\n\n  " + j, "---\n" + j, "# c\n" + j, "\ufeff" + j, j + "\n---\n", "---\n" + j + "\n---\n" + j, "---\n" + j + "\n" + j, "\t" + j, j.replace(" ", "\n"), j.replace(" ", "\n  "), j.replace(" ", "\n\t"), j + "\n# c\n", j + "\n...\n", j + "\n--- # c\n" + X, "{apiVersion: x.example/v1, kind: X, metadata: {name: NAME}, spec: {v: 1}}\n", j + " ---", j + "---\n" + X, j + "\n\n---\n\n" + j + "\n", "---\n{apiVersion: x.example/v1, kind: X, metadata: {name: NAME}, spec: {v: 1}}\n", "[" + j + "]", j + "\n,", j + "}", "{}\n" + j, j + "\n{}", j + "\nnull\n" + j, j.replace(" ", "\r\n"), j + "\r\n---\r\n" + j + "\r\n", '{"apiVersion":"x.example/v1","kind":"X","metadata":{"name":"NAME"},"spec":1}\n', "{{x}}\n", "{ \n  # c\n  apiVersion: x.example/v1, kind: X, metadata: {name: NAME}, spec: {v: 1}}\n",
]


def questions():
    for value in sum((group.split(" ") for group in (WORDS, INTEGERS, FLOATS, TIMES, TEXTS)), []) + LINES:
        yield HEAD + "spec:\n  v: " + value + "\n"
    for value in LINES:
        yield HEAD + "spec: " + value + "\n"
    for key in KEYS.split():
        yield HEAD + "spec:\n  " + key.replace("&", " ") + ": x\n"
    for spec in MAPS:
        yield HEAD + "spec:\n  " + spec + "\n"
    for header in HEADERS:
        for body in BODIES:
            yield HEAD + "spec:\n  v: " + header + "\n" + body
    # What stands under a block scalar must not end up in it.
    for header in ("|", "|+", ">", ">-"):
        for body in BODIES:
            if body.endswith("\n"):
                yield HEAD + "spec:\n  v: " + header + "\n" + body + "  w: 1\n"
                yield HEAD + "spec:\n- " + header + "\n" + body + "- w\n"
    yield from DOCUMENTS


def ask(kubectl, texts):
    """What it reads in each text: the specs of its objects, None where it refuses, False where it read no object."""
    with tempfile.TemporaryDirectory() as folder:
        for number, text in enumerate(texts):
            data = text.replace("NAME", f"case-{number}").encode()
            (pathlib.Path(folder) / f"{number:05}.yaml").write_bytes(data)
        run = subprocess.run([kubectl, "annotate", "--local", "-f", folder, "a=b", "-o", "json"], capture_output=True, text=True)
    answers = [[] for _ in texts]
    rest, decoder = run.stdout.strip(), json.JSONDecoder(parse_int=lambda text: int(text) if -(1 << 63) <= int(text) < 1 << 63 else float(text))
    while rest:
        value, end = decoder.raw_decode(rest)
        rest = rest[end:].strip()
        for item in value["items"] if value["kind"] == "List" else [value]:
            answers[int(item["metadata"]["name"].split("-")[1])].append(item.get("spec"))
    for line in run.stderr.splitlines():
        for number in range(len(texts)):
            if f"/{number:05}.yaml" in line:
                answers[number] = False if "unable to decode" in line and "1e400" not in line else None
    return answers


def main():
    kubectls = sys.argv[1:] or ["kubectl"]
    texts = list(dict.fromkeys(questions()))
    versions, answers = [], []
    for kubectl in kubectls:
        version = subprocess.run([kubectl, "version", "--client", "-o", "json"], capture_output=True, text=True)
        versions.append(json.loads(version.stdout)["clientVersion"]["gitVersion"])
        given = []
        for start in range(0, len(texts), 500):
            given += ask(kubectl, texts[start : start + 500])
        answers.append(given)
    with OUT.open("w") as out:
        out.write('{"kubectl": %s,\n"facts": [\n' % json.dumps(versions))
        lines = []
        for text, *said in zip(texts, *answers):
            if False in said:
                continue
            if any(repr(one) != repr(said[0]) for one in said):
                print("they differ:", json.dumps(text), json.dumps(said), file=sys.stderr)
                said = [None]
            lines.append(json.dumps([text, said[0]]))
        out.write(",\n".join(lines) + "\n]}\n")


main()
