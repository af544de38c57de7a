"""Dependencies run one way: the includes of each folder, and its links."""
import re

from tree import CODE

# Folder -> the folders it builds on; what those build on is allowed too.
ARROWS = {
    'reference/core': (),
    'reference/formats': ('reference/core',),
    'reference/exact': ('reference/formats',),
    'reference/sparse': ('reference/exact',),
    'reference/operations': ('reference/sparse',),
    'reference/autosparse': ('reference/operations',),
    'reference/networks': ('reference/operations',),
    'reference/graphs': ('reference/networks', 'reference/autosparse'),
    'reference/spdnn': ('reference/graphs',),
    'reference/nn': ('reference/graphs',),
    'reference/dag': ('reference/graphs',),
    'emulation/units': ('reference/exact',),
    'emulation/simt': ('emulation/units',),
    'emulation/dram': ('reference/formats',),
    'emulation/photonic': ('reference/operations',),
    'gpu/kernels': ('emulation/simt', 'reference/spdnn'),
    'gpu/memory': ('reference/core',),
    'gpu/cases': ('gpu/kernels',),
    'gpu/host': ('gpu/cases', 'gpu/memory'),
    'gpu/dump': (),  # one header, dropped into other people's programs
    'validation/io': ('reference/sparse',),
    'validation/compare': ('reference/operations', 'reference/autosparse', 'validation/io'),
    'validation/judge': ('validation/compare',),
    'validation/diagnose': ('validation/judge',),
    'validation/report': ('validation/diagnose',),
    'validation/simt': ('emulation/simt', 'validation/report'),
    'validation/suites': ('reference/', 'emulation/', 'gpu/', 'validation/diagnose', 'validation/report'),
    'validation/studies': ('validation/suites',),
    'validation/cli': ('validation/studies', 'validation/simt'),
    'validation/python': ('validation/studies', 'validation/simt'),
    'tests': ('validation/cli', 'validation/python'),
}
# emulation/simt has that header too, in its dialect; device code of the tests is a .cu file.
CUDA_RUNTIME = ('gpu/host', 'gpu/kernels', 'gpu/dump')
# Who writes or reads JSON besides the reports: files with a form of their own, and what processes say to one another.
# Names of files are patterns.
JSON = (r'validation/report/', r'validation/io/', r'gpu/host/', r'tests/',
        r'validation/(diagnose|judge)/(\w+/)?saved\w*\.cpp',  # saved arithmetics
        r'validation/suites/recorded_vectors\.cpp',  # the description beside recorded results
        r'validation/suites/cuda/recorded_kernels\.cpp',  # results that a GPU has written
        r'validation/suites/runner\.cpp')  # messages of the process that runs cases
# What suites and studies hand to the reports; json_report.hpp is for runner.cpp.
DATA_OF_REPORTS = ('result.hpp', 'evidence.hpp', 'study_results.hpp', 'autosparse_results.hpp',
                   'plan_results.hpp', 'simt_results.hpp', 'environment.hpp')


def allowed(folder, seen=()):
    """All folders that `folder` may use; a name that ends in a slash stands for all below it."""
    found = set()
    for target in ARROWS[folder]:
        for one in [f for f in ARROWS if f.startswith(target)] if target.endswith('/') else [target]:
            if one not in seen:
                found |= {one} | allowed(one, (*seen, one))
    return found


def folder_of(name):
    """The folder of the table that a file belongs to (kernels/ and the like belong to what they lie in), or None."""
    if name.startswith('tests/'):
        return 'tests'
    folder = '/'.join(name.split('/')[:2])
    return folder if folder in ARROWS else None


def includes(text):
    return re.findall(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"\n]+)[>"]', text, re.M)


def check_layers(tree):
    """Includes follow the arrows, start at the root, and leave <cuda_runtime.h> to the folders with device code."""
    bad = []
    for name in tree.named(*CODE, '.def'):
        folder, text = folder_of(name), tree.text(name) or ''
        if folder is None:
            bad.append(f'{name}: its folder is not in the table of tests/hygiene/layers.py')
            continue
        for bracket, target in includes(text):
            if (re.fullmatch(r'cuda_runtime(_api)?\.h', target) and folder not in CUDA_RUNTIME and
                    not (folder == 'tests' and name.endswith('.cu'))):
                bad.append(f'{name}: <{target}> belongs to {" and ".join(CUDA_RUNTIME)} alone')
            if bracket == '<' and folder_of(target) is None:
                continue
            generated = target in (tree.text(f'{folder_of(target)}/CMakeLists.txt') or '')
            if target not in tree.files and not generated:
                bad.append(f'{name}: "{target}" is not a path from the root')
            elif folder_of(target) is not None and folder_of(target) not in allowed(folder) | {folder}:
                bad.append(f'{name}: {folder} may not include {target}')
    return bad


def check_reports(tree):
    """Results become text and JSON in validation/report alone: nobody else writes JSON, suites hand over data."""
    bad = []
    for name in tree.named(*CODE):
        for _, target in includes(tree.text(name) or ''):
            if target.startswith('nlohmann/') and not any(re.match(pattern, name) for pattern in JSON):
                bad.append(f'{name}: <{target}>; hand the data to validation/report, which writes JSON')
            if (name.startswith(('validation/suites/', 'validation/studies/')) and
                    target.startswith('validation/report/') and
                    target.removeprefix('validation/report/') not in DATA_OF_REPORTS and
                    (name, target) != ('validation/suites/runner.cpp', 'validation/report/json_report.hpp')):
                bad.append(f'{name}: "{target}"; suites and studies hand over data')
    return bad


def check_links(tree):
    """CMake's links follow the arrows too, and cover what a folder includes."""
    targets = {folder.replace('/', '_'): folder for folder in ARROWS}
    targets['gpu_kernels_host'] = 'gpu/kernels'  # what of it needs no CUDA
    links = {}  # folder -> the folders it names in its CMakeLists.txt
    bad = []
    for folder in ARROWS:
        name = f'{folder}/CMakeLists.txt'
        if folder == 'tests' or name not in tree.files:
            continue
        text = re.sub(r'#.*', '', tree.text(name))
        named = {targets[t] for t in re.findall(r'\bassay(?:_|::)([a-z_]+)\b', text) if t in targets}
        links[folder] = named - {folder}
        for other in sorted(links[folder] - allowed(folder)):
            bad.append(f'{name}: {folder} may not link {other}')

    def reached(folder, seen):
        for other in links.get(folder, ()):
            if other not in seen:
                seen.add(other)
                reached(other, seen)
        return seen

    for name in tree.named(*CODE):
        folder = folder_of(name)
        if folder not in links:
            continue
        for _, target in includes(tree.text(name) or ''):
            other = folder_of(target)
            if other and other != folder and other not in reached(folder, set()):
                bad.append(f'{name}: includes {target}, but {folder}/CMakeLists.txt does not link {other}')
    return bad
