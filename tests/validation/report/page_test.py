#!/usr/bin/env python3
"""Looks at a report page.

    page_test.py parse PROGRAM    links, marks, repro lines; nothing from outside
    page_test.py render PROGRAM   in headless Chromium, wide and narrow, light and dark; 77 where none is found

PROGRAM writes the page to the path it is given. With PAGE_TEST_KEEP=FOLDER the pictures are left there.
"""
import html.parser
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path

CASES = 5
PICTURED = 2  # comparisons where something differs
VOID = {'meta', 'link', 'br', 'img', 'hr', 'input'}


class Page(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.ids, self.links, self.tags, self.classes, self.open, self.bad = [], [], [], [], [], []
        self.marks = {}      # kind of picture -> number of marks in it
        self.texts = {}      # id -> text
        self.picture = None
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.tags.append(tag)
        if tag not in VOID:
            self.open.append((tag, attrs.get('id')))
        if 'id' in attrs:
            self.ids.append(attrs['id'])
        if tag == 'a':
            self.links.append(attrs.get('href', ''))
        names = attrs.get('class', '').split()
        self.classes += names
        if tag == 'svg':
            self.picture = names[0]
            self.marks.setdefault(self.picture, []).append(0)
        if 'mark' in names:
            self.marks[self.picture][-1] += 1
        for name, value in attrs.items():
            if name.startswith('on') or (name in ('src', 'srcset') or name == 'href' and not value.startswith('#')):
                self.bad.append(f'<{tag} {name}="{value}">')

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        self.open.pop()

    def handle_endtag(self, tag):
        if not self.open or self.open[-1][0] != tag:
            self.bad.append(f'</{tag}> closes {self.open[-1:]}')
        else:
            self.open.pop()

    def handle_data(self, data):
        for _, name in self.open:
            if name:
                self.texts[name] = self.texts.get(name, '') + data


def expect(condition, what, found=''):
    if not condition:
        print(f'FAILED: {what} {found}')
        sys.exit(1)


def parse(text):
    page = Page(text)
    expect(not page.bad and not page.open, 'well-formed, without scripts and without anything from outside', page.bad)
    expect('script' not in page.tags and 'link' not in page.tags and 'iframe' not in page.tags, 'no script, no link')
    expect(not re.search(r'@import|url\s*\(|https?:', text), 'no address in the page')
    expect(len(page.ids) == len(set(page.ids)), 'ids are unique', page.ids)
    expect('prefers-color-scheme: dark' in text and 'name="viewport"' in text, 'dark, and narrow')
    for number in range(1, CASES + 1):
        expect(f'case-{number}' in page.ids and f'repro-{number}' in page.ids, f'case {number} is there')
        expect(page.links.count(f'#repro-{number}') == 1, f'case {number} links to its repro line')
        expect(page.texts[f'repro-{number}'].startswith('assay run --case "'), 'a repro line',
               page.texts[f'repro-{number}'])
    expect(all(link[1:] in page.ids for link in page.links), 'every link has its end', page.links)
    expect(sum(link.startswith('#case-') for link in page.links) == 3, 'the three that did not pass are listed')
    expect('spmm/csr_bf16_sm90 m=64 k=1024 n=33 seed=7' in page.texts['repro-1'], 'the name is in it')
    expect('<and nothing else>' in page.texts['case-4'], 'text is escaped')

    expect(sorted(page.marks) == ['map', 'scatter', 'ulp'], 'three kinds of pictures', page.marks)
    expect(all(len(counts) == PICTURED for counts in page.marks.values()), 'one of each for a comparison', page.marks)
    expect(page.marks['map'][0] == 64, 'a mark a value outside', page.marks['map'])
    expect(page.marks['ulp'][0] >= 3 and page.marks['scatter'][0] >= 3, 'bars and cells', page.marks)
    expect(len(re.findall(r'class="mark bad"', text)) > 64, 'what is outside has the colour of it')
    expect('tail of a 32-wide tile?' in page.texts['case-1'] and '0x1.8ap+1 (0x4045)' in page.texts['case-1'],
           'the text is there')
    print(f'{len(page.links)} links, {sum(map(sum, page.marks.values()))} marks, {len(text)} bytes')


def paeth(line, before, channels):
    """A row of PNG's Paeth filter, which adds left, up or corner: the first one nearest to left + up - corner."""
    row = bytearray(line)
    for channel in range(channels):
        left = corner = 0
        for x in range(channel, len(row), channels):
            up = before[x]
            if up == corner:
                nearest = left
            elif left == corner:
                nearest = up
            else:
                estimate = left + up - corner
                nearest = min((left, up, corner), key=lambda v: abs(estimate - v))
            left = row[x] = (row[x] + nearest) & 255
            corner = up
    return bytes(row)


def unfiltered(method, line, before, channels):
    """The bytes of a PNG's row. Most rows of a page repeat the row above."""
    if method == 0:
        return line
    if method == 2:
        return bytes([(x + up) & 255 for x, up in zip(line, before)]) if any(line) else before
    if method == 4:
        return paeth(line, before, channels)
    row = bytearray(line)
    for x, value in enumerate(line):
        left = row[x - channels] if x >= channels else 0
        row[x] = (value + (left if method == 1 else (left + before[x]) // 2)) & 255
    return bytes(row)


def pixels(path):
    """Width, height and rows of an 8-bit RGB or RGBA PNG without interlacing."""
    data = Path(path).read_bytes()
    width, height, depth, kind = struct.unpack('>IIBB', data[16:26])
    channels = {2: 3, 6: 4}[kind]
    expect(depth == 8, 'an 8-bit PNG')
    packed, at = b'', 8
    while at < len(data):
        size, name = struct.unpack('>I4s', data[at:at + 8])
        if name == b'IDAT':
            packed += data[at + 8:at + 8 + size]
        at += 12 + size
    raw, rows, before = zlib.decompress(packed), [], bytes(width * channels)
    stride = width * channels + 1
    for y in range(0, height * stride, stride):
        before = unfiltered(raw[y], raw[y + 1:y + stride], before, channels)
        rows.append(before)
    return width, height, channels, rows


def render(page, folder):
    browser = next((b for b in ('chromium', 'chromium-browser', 'google-chrome') if shutil.which(b)), None)
    if browser is None:
        print('no Chromium or Chrome in PATH')
        sys.exit(77)
    for width, height in ((1280, 900), (400, 900)):
        for scheme in ('light', 'dark'):
            picture = Path(folder, f'page-{width}-{scheme}.png')
            options = ['--blink-settings=preferredColorScheme=0'] if scheme == 'dark' else []
            # The profile is of this run alone; --no-sandbox because containers run as root.
            done = subprocess.run(
                [browser, '--headless', '--no-sandbox', '--disable-gpu', '--hide-scrollbars',
                 '--force-device-scale-factor=1',
                 f'--user-data-dir={folder}/profile', f'--window-size={width},{height}', f'--screenshot={picture}',
                 *options,
                 page.as_uri()], capture_output=True, text=True, timeout=100, check=False)
            expect(picture.exists(), f'a picture {width} wide, {scheme}', done.stderr[-2000:])
            shown_width, shown_height, channels, rows = pixels(picture)
            expect((shown_width, shown_height) == (width, height), 'the size asked for', (shown_width, shown_height))
            corner = rows[2][:3]
            expect((sum(corner) < 200) == (scheme == 'dark'), f'{scheme} background', tuple(corner))
            expect(len({row for row in rows}) > 100, 'something is drawn')
            # Nothing runs out of a narrow page: its right margin is background from top to bottom.
            margin = {row[(width - 2) * channels:(width - 2) * channels + 3] for row in rows}
            expect(margin == {corner}, f'a clear margin at {width}', margin)
            print(f'{picture.name}: {len({row for row in rows})} different lines')


def main():
    form, program = sys.argv[1:]
    with tempfile.TemporaryDirectory() as scratch:
        folder = os.environ.get('PAGE_TEST_KEEP') or scratch
        page = Path(folder, 'report.html').resolve()
        subprocess.run([program, str(page)], check=True)
        if form == 'parse':
            parse(page.read_text(encoding='utf-8'))
        else:
            render(page, folder)


if __name__ == '__main__':
    main()
