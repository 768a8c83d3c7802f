"""What a scripting engine runs, read from its command line."""

from __future__ import annotations

import hashlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transforms.rules.records import CATALOGUE, quick
from uncommon_im.transforms.rules.recognition.command_line import (
    Engines,
    arguments,
    engine_name,
    reduce_fingerprint,
    split_tokens,
)
from uncommon_im.transforms.rules.recognition.paths import Locations

ENGINES = Engines(CATALOGUE)
FORM = re.compile(r"[^|]+\|(inline:[0-9a-f]{16}|module:.+|script:.*|stdin|interactive|unknown)", re.DOTALL)


def inline(code: str) -> str:
    return "inline:" + hashlib.sha256(code.encode()).hexdigest()[:16]


def read(command_line: str, os: str = "linux") -> str:
    engine = ENGINES.find(command_line.split()[0])
    assert engine is not None
    return ENGINES.fingerprint(engine, command_line, None, os)


@pytest.mark.parametrize(
    ("image", "engine"),
    [
        ("python", "python"),
        ("Python.exe", "python"),
        ("python3.11", "python"),
        ("python3.11.exe", "python"),
        ("pythonw.exe", "pythonw"),
        ("py.exe", "py"),
        ("/usr/bin/perl5.36.0", "perl"),
        ("C:\\x\\PowerShell.EXE", "powershell"),
        ("pwsh", "pwsh"),
        ("nodejs", "nodejs"),
        ("node-18", "node"),
        ("php8.2", "php"),
        ("lua5.4", "lua"),
        ("R.exe", "r"),
        ("javaw.exe", "javaw"),
        ("osascript", "osascript"),
        ("mshta.exe", "mshta"),
        ("cscript.exe", "cscript"),
        ("tclsh8.6", "tclsh"),
    ],
)
def test_an_engine_is_found_by_its_name_on_every_system(image: str, engine: str) -> None:
    assert ENGINES.find(image) == engine


@pytest.mark.parametrize(
    "image",
    [None, "", "3", "bash", "sh", "dash", "zsh", "ksh", "fish", "busybox", "cmd.exe", "bash5", "chrome.exe", "pythonx"],
)
def test_shells_and_other_programs_are_no_engines(image: str | None) -> None:
    assert ENGINES.find(image) is None


@pytest.mark.parametrize(("image", "name"), [("7z", "7z"), ("a.b.exe", "a.b"), ("X1.2_3", "x1.2"), ("exe", "exe")])
def test_only_a_trailing_version_is_stripped(image: str, name: str) -> None:
    assert engine_name(image) == name


@pytest.mark.parametrize(
    ("os", "command_line", "expected"),
    [
        ("windows", r"powershell.exe -ep Bypass -File C:\Users\al\x.ps1", "powershell|script:c:/users/*/x.ps1"),
        ("linux", "pwsh -nop -w hidden -enc SQBFAFgA", "pwsh|" + inline("sqbfafga")),
        ("linux", "python3 -X dev -m http.server", "python|module:http.server"),
        ("linux", "node --require ./a.js /srv/app/b.js", "node|script:/srv/app/b.js"),
        ("linux", "php -f /var/www/c.php", "php|script:/var/www/c.php"),
        ("windows", r"wscript //B //Nologo C:\t\d.vbs", "wscript|script:c:/t/d.vbs"),
        ("windows", "mshta javascript:alert(1)", "mshta|" + inline("javascript:alert(1)")),
        ("linux", "java -cp a.jar -jar /opt/x-1.2/e.jar", "java|script:/opt/x-*/e.jar"),
        ("windows", r"python C:\Users\al\bot.py", "python|script:c:/users/*/bot.py"),
        ("windows", "powershell iwr https://x", "powershell|" + inline("iwr https://x")),
    ],
)
def test_the_specifications_examples(os: str, command_line: str, expected: str) -> None:
    assert read(command_line, os) == expected


@pytest.mark.parametrize(
    ("command_line", "expected"),
    [
        # python
        ("python -c print(1)", inline("print(1)")),
        ("python -cPRINT(1)", inline("print(1)")),
        ("python -Bc CODE x", inline("code x")),
        ("python -BcCODE x", inline("code x")),
        ("python -W ignore a.py", "script:a.py"),
        ("python -Wignore a.py", "script:a.py"),
        ("python -X dev -u a.py -c x", "script:a.py"),
        ("python --check-hash-based-pycs always a.py", "script:a.py"),
        ("python --check-hash-based-pycs=always a.py", "script:a.py"),
        ("python -mhttp.server 80", "module:http.server"),
        ("python -um http.server", "module:http.server"),
        ("python - a.py", "stdin"),
        ("python -u", "interactive"),
        ("python", "interactive"),
        ("python -m", "interactive"),
        ("py -3.11 a.py", "script:a.py"),
        ("pythonw a.pyw", "script:a.pyw"),
        # node, deno, bun
        ("node -e CODE", inline("code")),
        ("node --eval CODE more", inline("code more")),
        ("node --eval=CODE more", inline("code more")),
        ("node -p 1+1", inline("1+1")),
        ("node -pe 1+1", inline("1+1")),
        ("node --print 1+1", inline("1+1")),
        ("node -r ./a.js b.js", "script:b.js"),
        ("node -r./a.js b.js", "script:b.js"),
        ("node --import ./a.js b.js", "script:b.js"),
        ("node --import=./a.js b.js", "script:b.js"),
        ("node --loader l.js b.js", "script:b.js"),
        ("node -C dev b.js", "script:b.js"),
        ("node --inspect b.js", "script:b.js"),
        ("node", "interactive"),
        ("node -", "stdin"),
        ("deno run -A a.ts", "script:a.ts"),
        ("deno eval CODE", inline("code")),
        ("bun x a.ts", "script:a.ts"),
        ("bun run a.ts", "script:a.ts"),
        ("nodejs -e CODE", inline("code")),
        # perl, ruby, lua, osascript, julia, R
        ("perl -e CODE", inline("code")),
        ("perl -E CODE", inline("code")),
        ("perl -lane CODE f", inline("code f")),
        ("perl -I lib -M strict a.pl", "script:a.pl"),
        ("perl -Ilib -Mstrict -mX a.pl", "script:a.pl"),
        ("perl -w a.pl", "script:a.pl"),
        ("ruby -rjson -e CODE", inline("code")),
        ("ruby -r json -I lib -C /x a.rb", "script:a.rb"),
        ("lua -l socket a.lua", "script:a.lua"),
        ("lua -e CODE", inline("code")),
        ("osascript -l JavaScript -e CODE", inline("code")),
        ("osascript -e A -e B", inline("a -e b")),
        ("osascript a.scpt", "script:a.scpt"),
        ("julia -L a.jl b.jl", "script:b.jl"),
        ("julia -E CODE", inline("code")),
        ("R -e CODE", inline("code")),
        # php
        ("php -r CODE", inline("code")),
        ("php -B CODE", inline("code")),
        ("php -R CODE", inline("code")),
        ("php -E CODE", inline("code")),
        ("php -d a=b -c /etc a.php", "script:a.php"),
        ("php -da=b -fb.php a.php", "script:b.php"),
        ("php -f -", "stdin"),
        # java
        ("java -cp a.jar -p m --module-path n Main", "script:main"),
        ("java -classpath a.jar --class-path b.jar Main", "script:main"),
        ("java --class-path=b.jar Main", "script:main"),
        ("java -Xmx1g -jar a.jar b", "script:a.jar"),
        ("javaw -jar a.jar", "script:a.jar"),
        ("java -version", "interactive"),
        # mshta, wscript, cscript
        ("mshta VBScript:Close(1)", inline("vbscript:close(1)")),
        ("mshta about:<x>", inline("about:<x>")),
        ("mshta https://x/y.hta", "script:https://x/y.hta"),
        ("cscript //e:jscript //b a.txt b.js", "script:a.txt"),
        ("wscript //e:vbscript", "interactive"),
        ("wscript /x", "script:/x"),
        # no row
        ("tclsh a.tcl", "script:a.tcl"),
        ("tclsh -e CODE", "script:code"),
        ("tclsh", "interactive"),
        ("go run a.go", "script:run"),
    ],
)
def test_each_engines_row_is_followed(command_line: str, expected: str) -> None:
    assert read(command_line) == f"{ENGINES.find(command_line.split()[0])}|{expected}"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        *((f"{flag} CODE", inline("code")) for flag in ("-c", "-C", "-com", "-Command", "/c", "/Command")),
        *((f"{flag} CODE", inline("code")) for flag in ("-e", "-ec", "-enc", "-EncodedCommand", "/e", "/enc")),
        *((f"{flag} CODE", inline("code")) for flag in ("-CommandWithArgs", "-commandw", "-cwa")),
        *(
            (f"{flag} x a.ps1", "script:a.ps1")
            for flag in (
                "-ep", "-ex", "-ExecutionPolicy", "-w", "-win", "-WindowStyle", "-v", "-Version", "-i", "-InputFormat",
                "-o", "-OutputFormat", "-con", "-ConfigurationName", "-set", "-SettingsFile", "-wd", "-wo",
                "-WorkingDirectory", "-ps", "-PSConsoleFile", "/ep",
            )
        ),
        *((f"{flag} a.ps1", "script:a.ps1") for flag in ("-NoP", "-NonI", "-NoLogo", "-Sta", "-Mta", "-NoExit")),
        ("-f a.txt b.ps1", "script:a.txt"),
        ("-File a.txt", "script:a.txt"),
        ("/file a.txt", "script:a.txt"),
        ("-File -", "stdin"),
        ("-", "stdin"),
        ("A.PS1 x", "script:a.ps1"),
        ("/srv/x.ps1", "script:/srv/x.ps1"),
        ("Get-Date x", inline("get-date x")),
        ("-nop a.txt -c x", inline("a.txt -c x")),
        ("& a.ps1", inline("& a.ps1")),
        ("-NoProfile", "interactive"),
        ("", "interactive"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("engine", ["powershell", "pwsh"])
def test_powershell_abbreviates_its_options(engine: str, options: str, expected: str) -> None:
    assert read(f"{engine} {options}".strip()) == f"{engine}|{expected}"


@pytest.mark.parametrize("command_line", [None, "", "   "])
def test_without_command_line_the_target_is_unknown(command_line: str | None) -> None:
    assert ENGINES.fingerprint("python", command_line, None, "linux") == "python|unknown"


def test_inline_code_is_joined_by_one_space_without_case() -> None:
    assert read("python -c  Print(1)\t x") == read('PYTHON -c "print(1)" X') == "python|" + inline("print(1) x")
    assert read("python -c print(2)") != read("python -c print(1)")


@pytest.mark.parametrize(
    ("text", "single", "tokens"),
    [
        ("a  b\tc", False, ["a", "b", "c"]),
        ('"a b" c', False, ["a b", "c"]),
        ('a"b c"d', False, ["ab cd"]),
        ('""', False, [""]),
        ('"a b', False, ["a b"]),
        ("'a b'", False, ["'a", "b'"]),
        ("'a b'", True, ["a b"]),
        ('"it\'s" x', True, ["it's", "x"]),
        ("'say \"x y\"'", True, ['say "x y"']),
        ("C:\\a\\ b\\", True, ["C:\\a\\", "b\\"]),
        ("  ", True, []),
    ],
)
def test_quotes_group_and_a_backslash_is_ordinary(text: str, single: bool, tokens: list[str]) -> None:
    assert split_tokens(text, single) == tokens


def test_single_quotes_group_on_other_systems_than_windows() -> None:
    line = "python 'my bot.py'"
    systems = ("linux", "macos", "other", None, "windows")
    assert [ENGINES.fingerprint("python", line, None, os) for os in systems] == ["python|script:my bot.py"] * 4 + [
        "python|script:'my"
    ]


@pytest.mark.parametrize(
    ("command_line", "path", "expected"),
    [
        ("C:\\Program Files\\py\\python.exe a.py", "C:\\Program Files\\py\\python.exe", ["a.py"]),
        ('"C:\\Program Files\\py\\python.exe" a.py', "C:\\Program Files\\py\\python.exe", ["a.py"]),
        ("c:\\program files\\PY\\Python.exe a.py", "C:\\Program Files\\py\\python.exe", ["a.py"]),
        ("'/opt/my py/python' a.py", "/opt/my py/python", ["a.py"]),
        ("/opt/my py/python", "/opt/my py/python", []),
        ("/opt/my py/python3 a.py", "/opt/my py/python", ["py/python3", "a.py"]),
        ("C:\\Program Files\\py\\python.exe a.py", None, ["Files\\py\\python.exe", "a.py"]),
        ("python a.py", "/usr/bin/python", ["a.py"]),
        ('"C:\\x y\\python.exe" a.py', None, ["a.py"]),
        ("  python   a.py ", None, ["a.py"]),
    ],
)
def test_a_command_line_loses_its_own_path_else_its_first_token(
    command_line: str, path: str | None, expected: list[str]
) -> None:
    assert arguments(command_line, path, single_quotes=True) == expected


WORDS = st.sampled_from(
    ["-", "--", "-c", "-e", "-m", "-f", "/c", "//b", "-jar", "a.ps1", "run", '"', "'", "=", "--eval=", "-cX", " ", "é"]
)


@quick
@given(
    st.sampled_from(["powershell", "python", "node", "perl", "php", "mshta", "wscript", "java", "tclsh", "no-engine"]),
    st.text() | st.lists(WORDS | st.text(max_size=3)).map(" ".join),
    st.none() | st.text(max_size=3),
    st.sampled_from([None, "windows", "linux"]),
)
def test_any_command_line_has_a_fingerprint(engine: str, line: str, path: str | None, os: str | None) -> None:
    assert FORM.fullmatch(ENGINES.fingerprint(engine, line, path, os))


@pytest.mark.parametrize(
    ("fingerprint", "reduced"),
    [
        ("", ""),
        ("python|inline:0123456789abcdef", "python|inline"),
        ("python|stdin", "python|stdin"),
        ("python|interactive", "python|interactive"),
        ("python|unknown", "python|unknown"),
        ("python|module:http.server", "python|module:http.server"),
        ("python|script:/srv/a.py", "python|script:/srv/a.py"),
        ("python|script:/tmp/x/a.py", "python|script:/tmp/*"),
        ("python|script:a:b|c.py", "python|script:a:b|c.py"),
        ("mshta|script:https://x/y.hta", "mshta|script:https://x/y.hta"),
    ],
)
def test_a_reduced_script_keeps_files_and_modules_only(fingerprint: str, reduced: str) -> None:
    locations = Locations(CATALOGUE)
    assert reduce_fingerprint(fingerprint, lambda path: locations.fold_script_location(path, "linux")) == reduced
