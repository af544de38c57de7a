"""What the compiler was told and what it made of the wide-ISA files."""
import re
import subprocess

from tree import Skip

# Suffix of a kernel file -> the flag that its compile command cannot lack.
WIDE = {'f16c': '-mf16c', 'avx2': '-mavx2', 'avx512': '-mavx512f', 'avx512bf16': '-mavx512bf16', 'amx': '-mamx-bf16'}
BASELINE = '-march=x86-64-v2'


def isa_of(name):
    match = re.search(r'/kernels/[^/]*_([a-z0-9]+)\.cpp$', name)
    return match[1] if match and match[1] in WIDE else None


def check_flags(tree):
    """No contraction anywhere, the baseline for all, more than it for wide-ISA kernels alone."""
    bad = []
    for name, (arguments, _) in tree.commands().items():
        if name.split('/')[0] not in ('reference', 'emulation', 'validation'):
            continue
        if '-ffp-contract=off' not in arguments:
            bad.append(f'{name}: compiled without -ffp-contract=off')
        if [a for a in arguments if a.startswith('-march=')] != [BASELINE]:
            bad.append(f'{name}: compiled without {BASELINE}, or with another -march')
        wide = [a for a in arguments if re.match(r'-m(avx|f16c|fma|bmi|amx)', a)]
        isa = isa_of(name)
        if isa is None and wide:
            bad.append(f'{name}: compiled with {" ".join(wide)}, which the baseline has not')
        if isa is not None and WIDE[isa] not in wide:
            bad.append(f'{name}: compiled without {WIDE[isa]}')
    return bad


def symbols(output):
    """[(kind, demangled name)] of an object, as nm shows them."""
    done = subprocess.run(['nm', '-C', output], stdout=subprocess.PIPE, text=True, check=True)
    return re.findall(r'^[0-9a-f ]*\s([A-Za-z])\s(.+)$', done.stdout, re.M)


def symbol_faults(found, baseline):
    """What is wrong with the symbols of one wide-ISA object; `baseline` has the strong definitions of the others."""
    bad = []
    for kind, symbol in found:
        entry = re.match(r'assay::(\w+::)*kernels::', symbol)
        if kind in 'WVuvw' and not symbol.startswith(('__gmon_', '_ITM_')):
            bad.append(f'weak symbol {symbol}: the linker may take this copy for the baseline')
        # C's functions are nobody's templates.
        elif kind == 'U' and re.search(r'[(:]', symbol) and not entry and symbol not in baseline:
            bad.append(f'calls {symbol}, of which the baseline has no strong definition')
        elif kind.isupper() and kind not in 'UWV' and not entry:
            bad.append(f'defines {symbol} outside a namespace kernels')
    return bad


def check_exports(tree):
    """Wide-ISA objects of a release build define their entries in a namespace kernels and nothing weak."""
    if not re.search(r'^CMAKE_BUILD_TYPE:STRING=Release$', (tree.build / 'CMakeCache.txt').read_text(), re.M):
        raise Skip('not a release build: inline functions stay functions')
    found = {name: symbols(output) for name, (_, output) in tree.commands().items()
             if name.split('/')[0] in ('reference', 'emulation', 'validation')}
    baseline = {symbol for name in found if not isa_of(name) for kind, symbol in found[name] if kind in 'TDBRGS'}
    return [f'{name}: {fault}' for name in sorted(found) if isa_of(name)
            for fault in symbol_faults(found[name], baseline)]
