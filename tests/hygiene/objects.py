"""What the compiler was told and what it made of the wide-ISA files."""
import functools
import re
import subprocess

from tree import Skip

BASELINE = '-march=x86-64-v2'


def wide_isas(tree):
    """{suffix of a kernel file: its flags} of the ISAs beyond the baseline, from the program's own list."""
    flags, isas = {}, {}
    for line in (tree.text('reference/core/isa.def') or '').splitlines():
        if match := re.match(r'FAMILY\((\w+), *"[^"]*", *"([^"]*)"', line):
            flags[match[1]] = match[2]
        elif match := re.match(r'ISA\((\w+), *"[^"]*", *(.*)\)$', line):
            families = re.findall(r'\w+', ' '.join(re.findall(r'Isa{(.*)}', match[2])))
            isas[match[1]] = {flags[f] for f in families}.union(
                *(isas[base] for base in re.findall(r'Isa::(\w+)', match[2])))
    return {isa: needed for isa, needed in isas.items() if needed}


def isa_of(name, isas):
    """The ISA beyond the baseline that a kernel file's suffix names, or None."""
    fitting = [isa for isa in isas if re.search(rf'/kernels/[^/]*_{isa}\.cpp$', name)]
    return max(fitting, key=len, default=None)


def check_flags(tree):
    """No contraction; the baseline, and beyond it a wide-ISA kernel's own flags of isa.def and no other."""
    bad = []
    isas = wide_isas(tree)
    for name, (arguments, _) in tree.commands().items():
        if name.split('/')[0] not in ('reference', 'emulation', 'validation'):
            continue
        if '-ffp-contract=off' not in arguments:
            bad.append(f'{name}: compiled without -ffp-contract=off')
        if [a for a in arguments if a.startswith('-march=')] != [BASELINE]:
            bad.append(f'{name}: compiled without {BASELINE}, or with another -march')
        wide = [a for a in arguments if re.match(r'-m(avx|f16c|fma|bmi|amx)', a)]
        isa = isa_of(name, isas)
        due = isas[isa] if isa else set()
        if beyond := sorted(set(wide) - due):
            bad.append(f'{name}: compiled with {" ".join(beyond)}, which {isa or "the baseline"} has not')
        if missing := sorted(due - set(wide)):
            bad.append(f'{name}: compiled without {" ".join(missing)}')
    return bad


@functools.lru_cache(maxsize=None)  # several sources may be compiled as one object
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
    isas = wide_isas(tree)
    baseline = {symbol for name in found if not isa_of(name, isas) for kind, symbol in found[name] if kind in 'TDBRGS'}
    return [f'{name}: {fault}' for name in sorted(found) if isa_of(name, isas)
            for fault in symbol_faults(found[name], baseline)]
