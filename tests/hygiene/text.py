"""What can be seen in the text of a file."""
import re
import shutil
import subprocess

from tree import CODE, HEADERS, Skip

COLUMNS = 120
# The patterns are written so that they do not match themselves.
PROMISES = r'\b(TO[D]O|FIXM[E]|XX[X]|HAC[K]|not (yet )?implemente[d]|placeholde[r])\b'
MACHINES = r'(?<![\w.])/(wor[k]|roo[t]|hom[e]|User[s])/|bash_job[s]'
# Threads come from reference/core/parallel.hpp: it passes exceptions on and knows what a fork would break.
THREADS = r'#\s*pragma\s+omp\b|_Pragma\s*\(\s*"omp\b|\bomp_\w+\s*\(|<omp\.h>'
# What the command and the Python module leave to the libraries below them: to go through outputs or terms one by one.
MANY = (r'(?:\w+(?:\.|->))*(?:elements|outputs|terms|wanted|values|codes|answers?|bounds?|results?|labels|sums'
        r'|[abcdknxy]|[abcxy]\.size)(?:\.size\(\)|\(\))?')
LOOPS = (rf'\bfor \([^;]*= 0\b[^;]*;[^;]*< (?:static_cast<[^>]*>\()?{MANY}\)?;'
         rf'|\bfor \((?:const )?(?:auto|double|float|std::uint\d+_t)&? \w+ : \*?{MANY}\)'
         r'|\bdetail::(?:load|store)_code\(')
# A command line comes from what was parsed (command_text()): none is put together from words.
COMMANDS = (r'= "assay [a-z]+(?: [a-z]+)*";|"assay [^"]* -{1,2}[a-z][^"]*"'
            r'|(?:[{(]|, )"assay", *"|_back\("(?:assay|--?[a-z])')
# A loop that polls another process for a condition, up to a deadline, says so: `// poll`.
SLEEPS = r'^(?!.*(//|#) poll\b).*?(\bsleep_(for|until)\b|\bu?sleep\s*\(|\bnanosleep\b|^\s*sleep\s+[\d.])'


def lines_with(tree, names, pattern, flags=0):
    """[(file, line number, match)] of a pattern in these files."""
    found = []
    for name in names:
        for number, line in enumerate((tree.text(name) or '').splitlines(), 1):
            match = re.search(pattern, line, flags)
            if match:
                found.append((name, number, match[0].strip()))
    return found


def is_script(tree, name):
    return (tree.text(name) or '').startswith('#!')


def check_form(tree):
    """Lines within 120 columns; no tab, CR or blank at the end of a line; a newline at the end of a file."""
    bad = []
    for name in tree.files:
        text = tree.text(name)
        if not text or name == 'LICENSE':
            continue
        code = name.endswith((*CODE, '.def', '.py', '.txt', '.sh')) or is_script(tree, name)
        for number, line in enumerate(text.split('\n'), 1):
            if code and len(line) > COLUMNS:
                bad.append(f'{name}:{number}: {len(line)} columns, more than {COLUMNS}')
            if line != line.rstrip() or '\t' in line:
                bad.append(f'{name}:{number}: a tab, a CR or a blank at the end')
        if not text.endswith('\n'):
            bad.append(f'{name}: no newline at the end')
    return bad


def check_headers(tree):
    """Every header says `#pragma once`."""
    return [f'{name}: no #pragma once' for name in tree.named(*HEADERS)
            if not re.search(r'^#pragma once$', tree.text(name) or '', re.M)]


def check_words(tree):
    """No promise of later work, no path of somebody's machine, no `using namespace std`, no test that sleeps."""
    tests = [f for f in tree.files if f.startswith('tests/')]
    rules = ((tree.files, PROMISES, re.I, 'promises later work'),
             (tree.files, MACHINES, 0, 'is the path of one machine'),
             (tree.named(*CODE), r'using\s+namespace\s+std\b', 0, 'pulls in all of std'),
             (tests, SLEEPS, 0, 'sleeps: wait for the event itself'))
    return [f'{name}:{number}: "{match}" {why}' for names, pattern, flags, why in rules
            for name, number, match in lines_with(tree, names, pattern, flags)
            # The rules themselves, and the samples that they are tested with.
            if name not in ('tests/hygiene/text.py', 'tests/hygiene/selftest.py')]


def check_threads(tree):
    """OpenMP is spoken in reference/core and in kernels/ alone; all else takes its threads from parallel.hpp."""
    names = [name for name in tree.named(*CODE, '.def')
             if not name.startswith('reference/core/') and '/kernels/' not in name]
    return [f'{name}:{number}: "{match}": threads come from reference/core/parallel.hpp'
            for name, number, match in lines_with(tree, names, THREADS)]


def check_callers(tree):
    """The command and the Python module go through no outputs or terms, and put no command line together."""
    names = [name for name in tree.named('.cpp', '.hpp', below=('validation',))
             if name.startswith(('validation/cli/', 'validation/python/'))]
    # How Python's arrays lie in memory is this file's own business.
    loops = [name for name in names if name != 'validation/python/array.cpp']
    return [f'{name}:{number}: "{match}": {why}' for who, pattern, why in (
                (loops, LOOPS, 'a loop over outputs or terms belongs to validation/judge or below'),
                (names, COMMANDS, 'a command line is what was parsed: command_text()'))
            for name, number, match in lines_with(tree, who, rf'^(?:(?!//).)*?(?:{pattern})')]


def clang_format():
    for program in ('clang-format-14', 'clang-format'):
        if shutil.which(program) and ' 14.' in subprocess.run(
                [program, '--version'], capture_output=True, text=True, check=True).stdout:
            return program
    raise Skip('clang-format 14 is not installed')


def check_format(tree):
    """clang-format 14 would change nothing."""
    names = tree.named(*CODE)
    if not names:
        return []
    done = subprocess.run([clang_format(), '--dry-run', '-Werror', '--ferror-limit=1', *names],
                          cwd=tree.top, capture_output=True, text=True, check=False)
    bad = re.findall(r'^(\S+:\d+):\d+: error: ', done.stderr, re.M)
    if done.returncode and not bad:
        bad = [done.stderr.strip()]
    return [f'{place}: clang-format would change it (clang-format-14 -i)' for place in bad]
