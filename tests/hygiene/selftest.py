#!/usr/bin/env python3
"""Plants violations in a small sound tree; each check must find every plant of its own and nothing before it.

    selftest.py C++_COMPILER
"""
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import hygiene
from tree import Skip, Tree

FLAGS = '-ffp-contract=off -march=x86-64-v2'
HEADER = '#pragma once\n\nnamespace assay {\nint one();\n}  // namespace assay\n'
KERNEL = ('#include "reference/core/one.hpp"\n\nnamespace assay::kernels {\n'
          'void add_avx512(int* x) { *x += one(); }\n}  // namespace assay::kernels\n')
PROGRAM = 'int main() {}\n'
SOUND = {
    '.clang-format': 'BasedOnStyle: Google\n',
    'CMakeLists.txt': 'add_subdirectory(reference)\nadd_subdirectory(validation)\n',
    'LICENSE': 'Do as you like.\n',
    'README.md': f'See [the reference](reference/core/one.hpp).\n\n```cpp\n{PROGRAM}```\n',
    'build/anything.hpp': 'using namespace std;',
    '.git/anything.hpp': 'using namespace std;',
    'reference/CMakeLists.txt': 'add_subdirectory(core)\nadd_subdirectory(formats)\n',
    'reference/core/CMakeLists.txt': 'assay_library(reference_core SOURCES one.cpp)\n',
    'reference/core/one.hpp': HEADER,
    'reference/core/one.cpp': '#include "reference/core/one.hpp"\n\n#include <vector>\n\n'
                              'namespace assay {\n#pragma omp flush\nint one() { return 1; }\n}  // namespace assay\n',
    'reference/core/isa.def': 'FAMILY(avx512f, "AVX512F", "-mavx512f", 7, 0, b, 16, zmm)\n'
                              'ISA(scalar, "", Isa{})\nISA(avx512, "AVX-512 (F)", Isa::scalar | Isa{avx512f})\n',
    'reference/formats/CMakeLists.txt': 'assay_library(reference_formats LINKS assay_reference_core)\n'
                                        'file(CONFIGURE OUTPUT reference/formats/made.hpp)\n',
    'reference/formats/two.hpp': '#pragma once\n\n#include "reference/core/one.hpp"\n'
                                 '#include "reference/formats/made.hpp"\n',
    'reference/formats/kernels/two_avx512.cpp': KERNEL,
    'validation/CMakeLists.txt': 'add_subdirectory(report)\nadd_subdirectory(cli)\n',
    'validation/report/CMakeLists.txt': 'assay_library(validation_report LINKS assay::reference_formats)\n',
    'validation/report/three.hpp': '#pragma once\n\n#include "reference/formats/two.hpp"\n',
    'tests/run': '#!/usr/bin/env bash\nset -euo pipefail\n',
    'tests/install/consumer/main.cpp': PROGRAM,
    # Names and words are no outputs, and messages no command lines.
    'validation/cli/sound.hpp': '#pragma once\n\n'
                                'for (std::size_t i = 0; i < words.size(); ++i) say("assay check: " + words[i]);\n'
                                'for (const std::string& value : values) say(value);\n'
                                'progress("assay study sum");  // assay study sum --n 8\n',
    'validation/cli/CMakeLists.txt': 'assay_library(validation_cli)\n',
    'tests/poll.py': 'time.sleep(0.1)  # poll\n',
}
CORE, REPORT, ONE = 'reference/core/one.hpp', 'validation/report/three.hpp', 'reference/core/one.cpp'
CLI = 'validation/cli/cmd_x.cpp'

# check -> plants: {file: its new text, or None to remove it}. The check must name the first file of the plant.
PLANTS = {
    'layers': [
        {CORE: HEADER + '#include "reference/formats/two.hpp"\n'},
        {CORE: HEADER + '#  include <reference/formats/two.hpp>\n'},
        {CORE: HEADER + '#include "one.hpp"\n'},
        {CORE: HEADER + '#include "reference/core/absent.hpp"\n'},
        {CORE: HEADER + '#include <cuda_runtime.h>\n'},
        {'tests/one_test.cpp': '#include <cuda_runtime_api.h>\n'},
        {'reference/core/list.def': '#include "validation/report/three.hpp"\n'},
        {'reference/elsewhere/one.hpp': HEADER},
        {REPORT: '#include "emulation/units/u.hpp"\n', 'emulation/units/u.hpp': HEADER},
        {REPORT: '#include "gpu/memory/m.hpp"\n', 'gpu/memory/m.hpp': HEADER},
        {'validation/compare/c.hpp': '#include "emulation/simt/s.hpp"\n', 'emulation/simt/s.hpp': HEADER},
        {'gpu/kernels/k.cuh': '#include "gpu/host/h.hpp"\n', 'gpu/host/h.hpp': HEADER},
    ],
    'links': [
        {'reference/core/CMakeLists.txt': 'assay_library(reference_core LINKS assay_reference_formats)\n'},
        {'reference/core/CMakeLists.txt': 'target_link_libraries(x PRIVATE assay::validation_report)\n'},
        {REPORT: '#include "reference/formats/two.hpp"\n', 'validation/report/CMakeLists.txt': 'assay_library(x)\n'},
    ],
    'reports': [
        {'validation/cli/cmd_x.cpp': '#include <nlohmann/json.hpp>\n'},
        {CORE: HEADER + '#include <nlohmann/json_fwd.hpp>\n'},
        {'validation/suites/evidence.cpp': '#include <nlohmann/json.hpp>\n'},
        {'validation/studies/s.cpp': '#include "validation/report/table.hpp"\n'},
        {'validation/suites/x_suite.cpp': '#include "validation/report/json_report.hpp"\n'},
    ],
    'top': [{'notes.txt': 'x\n'}, {'scripts/x.py': ''}, {'LICENSE': None}, {'README.md': None}],
    'targets': [
        {'reference/core/CMakeLists.txt': None},
        {'reference/core/CMakeLists.txt': '# assay_library(reference_core)\n'},
        {'reference/core': None, 'reference/CMakeLists.txt': 'add_subdirectory(formats)\n'},
        {'reference/deep': None, 'reference/deep/x.cpp': ''},
    ],
    'built': [{'reference/core/forgotten.cpp': ''}, {'tests/forgotten_test.cpp': ''}],
    'skips': [
        {'reference/core/CMakeLists.txt': 'set_tests_properties(x PROPERTIES SKIP_REGULAR_EXPRESSION "no data")\n'},
        {'reference/one.cmake': 'set_property(TEST x PROPERTY SKIP_REGULAR_EXPRESSION skipped)\n'},
    ],
    'scripts': [
        {'tests/plain': '#!/usr/bin/env bash\nset -euo pipefail\n'},
        {'tests/run': 'echo\n'},
        {'tests/run': '#!/usr/bin/env bash\nset -euo pipefail\nif\n'},
        {'tests/run': '#!/usr/bin/env bash\necho\n'},
        {'tests/x.py': 'def\n'},
    ],
    'pages': [
        {'README.md': SOUND['README.md'].replace('one.hpp', 'gone.hpp')},
        {'reference/README.md': '[up](README.md) [gone](../gone.md#part)\n'},
        {'README.md': SOUND['README.md'].replace('main()', 'main(void)')},
        {'README.md': SOUND['README.md'].replace('cpp', 'c')},
    ],
    'form': [
        {ONE: '// ' + 'x' * 118 + '\n'}, {ONE: 'int x; \n'}, {ONE: '\tint x;\n'}, {ONE: 'int x;\r\n'}, {ONE: 'int x;'},
        {'tests/run': '#!/usr/bin/env bash\n#' + 'x' * 120 + '\n'},
    ],
    'headers': [{CORE: '// #pragma once\n'}, {'gpu/kernels/k.cuh': ''}],
    'words': [
        # In two halves each, so that whoever searches for such words does not find these.
        {ONE: '// TO' 'DO: later\n'}, {ONE: '// fix' 'me\n'}, {'README.md': 'Not yet imple' 'mented.\n'},
        {ONE: '// see /wo' 'rk/main\n'}, {'README.md': 'cd /ho' 'me/me/assay\n'},
        {ONE: 'using  namespace std;\n'},
        {'tests/one_test.cpp': 'std::this_thread::sleep_for(1s);\n'}, {'tests/run': 'sleep 1\n'},
        {'tests/x.py': 'time.sleep(1)\n'},
    ],
    'threads': [
        {ONE.replace('core', 'formats'): '#pragma omp parallel for\n'},
        {'validation/report/x.cpp': 'void f() {\n#  pragma  omp barrier\n}\n'},
        {'validation/report/x.cpp': 'const int n = omp_get_max_threads();\n'},
        {'tests/one_test.cpp': '#include <omp.h>\n'},
        {REPORT: '#define LOOP _Pragma("omp simd")\n'},
    ],
    'callers': [
        {CLI: 'for (std::size_t i = 0; i < q.outputs(); ++i) judge(i);\n'},
        {CLI: 'for (std::size_t i = 0; i < answers.size(); ++i) {\n'},
        {CLI: 'for (std::size_t i = 0; begin && i < static_cast<std::size_t>(array.values.size()); ++i) {\n'},
        {CLI: 'for (std::size_t i = 0, n = a.size(); i < n; ++i) {\n'},
        {CLI: 'for (const std::uint64_t code : *codes) put(code);\n'},
        {CLI: 'for (double x : terms.values) sum += x;\n'},
        {'validation/python/x.cpp': 'for (std::size_t k = 0; k < x.size; ++k) {\n'},
        {'validation/python/x.cpp': 'detail::store_code(at, i, bytes, code);\n'},
        {CLI: 'std::string line = "assay check";\n'},
        {CLI: 'run("assay check gemm --a a.npy --b b.npy");\n'},
        {'validation/python/x.cpp': 'std::vector<std::string> words{"assay", "check"};\n'},
        {'validation/python/x.cpp': 'arguments.push_back("--unit");\n'},
    ],
    'format': [{ONE: 'int  x;\n'}, {'gpu/kernels/k.cuh': 'int x ;\n'}],
    'flags': [
        {ONE: 'flags: -march=x86-64-v2'},
        {ONE: 'flags: -ffp-contract=off'},
        {ONE: 'flags: -ffp-contract=off -march=x86-64-v2 -march=native'},
        {ONE: 'flags: -ffp-contract=off -march=x86-64-v2 -mavx2'},
        {'reference/formats/kernels/two_avx512.cpp': 'flags: -ffp-contract=off -march=x86-64-v2'},
        {'reference/formats/kernels/two_avx512.cpp': f'flags: {FLAGS} -mavx512f -mamx-bf16'},
    ],
    'exports': [
        # `one` with a weak definition only: the copy that a wide-ISA file makes could be the one.
        {'reference/formats/kernels/two_avx512.cpp': KERNEL,
         ONE: '#include "reference/core/one.hpp"\nnamespace assay {\n'
         'inline __attribute__((used)) int one() { return 1; }\n}\n'},
        # An inline function that the optimiser leaves a call to, the case that this check is for.
        {'reference/formats/kernels/two_avx512.cpp': KERNEL + 'inline __attribute__((noinline)) float f(float x) {'
         ' return x + x; }\nnamespace assay::kernels {\nvoid g(float* x) { *x = f(*x); }\n}\n'},
        {'reference/formats/kernels/two_avx512.cpp': 'void twice_avx512(float* x) { *x += *x; }\n'},
        {'reference/formats/kernels/two_avx512.cpp': 'namespace assay {\nint table[4] = {1, 2, 3, 4};\n}\n'},
        {'reference/formats/kernels/two_avx512.cpp': 'namespace assay::kernels {\ninline int count = 1;\n'
         'int* g() { return &count; }\n}\n'},
        {'reference/formats/kernels/two_avx512.cpp': 'namespace std {\nvoid grow(int);\n}\n'
         'namespace assay::kernels {\nvoid g() { std::grow(1); }\n}\n'},
    ],
}


def write(top, files):
    for name, text in files.items():
        path = top / name
        if text is None or text.startswith('flags: '):
            if text is None and path.is_file():
                path.unlink()
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
        path.chmod(0o755 if name == 'tests/run' else 0o644)


def make_build(top, check, plant, compiler):
    """compile_commands.json of the sound tree and, for `exports`, the objects that it speaks of."""
    build = top / 'build'
    (build / 'CMakeCache.txt').write_text('CMAKE_BUILD_TYPE:STRING=Release\n')
    commands = []
    for name in SOUND:
        if name.endswith('.cpp') and (top / name).exists():
            flags = FLAGS + (' -mavx512f' if 'avx512' in name else '')
            planted = plant.get(name) or ''
            flags = planted.removeprefix('flags: ') if planted.startswith('flags: ') else flags
            output = build / (name.replace('/', '_') + '.o')
            if check == 'exports':
                subprocess.run([compiler, '-std=c++20', '-O2', '-I', top, *flags.split(),
                                '-c', top / name, '-o', output],
                               check=True)
            source = top / name
            if check == 'built':   # by a batch, as CMake writes them
                source = build / 'Unity' / f'unity_{len(commands)}_cxx.cxx'
                source.parent.mkdir(exist_ok=True)
                source.write_text(f'#include "{top / name}"\n')
            commands.append({'directory': str(build), 'file': str(source),
                             'command': f'c++ {flags} -o {output.name} -c "{source}"'})
    (build / 'compile_commands.json').write_text(json.dumps(commands))


def violations(check, plant, compiler):
    with tempfile.TemporaryDirectory(prefix='assay hygiene ') as folder:
        top = Path(folder)
        write(top, SOUND)
        write(top, plant)
        make_build(top, check, plant, compiler)
        return hygiene.CHECKS[check](Tree(top, top / 'build'))


def main(compiler):
    bad = [f'{check}: no violation is planted' for check in hygiene.CHECKS if check not in PLANTS]
    planted, blind = 0, []
    for check, plants in PLANTS.items():
        try:
            found = violations(check, {}, compiler)
            bad += [f'{check}: finds fault with the sound tree: {violation}' for violation in found]
            for plant in plants:
                planted += 1
                found, where = violations(check, plant, compiler), next(iter(plant))
                # A file that is gone or stands for its folder is named by its folder.
                if not any(where in v or os.path.dirname(where) + ':' in v for v in found):
                    bad.append(f'{check}: misses the plant {plant}; it found {found}')
        except Skip as reason:
            blind.append(f'{check}: {reason}')
    for line in bad + blind:
        print(line)
    print(f'{planted} violations planted, {len(bad)} faults')
    return 1 if bad else 77 if blind else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1]))
