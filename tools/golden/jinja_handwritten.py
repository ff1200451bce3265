"""The variables of the Jinja snippets, and those snippets that are written by hand, one a line."""

CTX = {
 "s": "Hello World", "e": "", "u": "Grüße, 世界! 🎉 ǅ ß", "w": "  padded\t\n", "n": None, "i": 7, "z": 0, "neg": -3, "f": 2.5, "b": True, "nb": False,
 "l": [3, 1, 2], "le": [], "ls": ["b", "A", "c", "a"], "mix": [1, "a", None, True, 2.5, [1, 2], {"k": "v"}],
 "d": {"a": 1, "b": "two", "c": None}, "de": {}, "html": "<b>\"x\" & 'y'</b>", "q": "it's \"q\"\\ \n\x01\u200b\u00a0\U000e0001",
 "users": [{"name": "ann", "age": 30, "t": {"x": 1}}, {"name": "Bob", "age": 25, "t": {"x": 2}}, {"name": "cy", "age": 30, "t": {"x": 3}, "on": True}],
 "lines": "a\nb\r\nc\n\n d ", "digits": "42", "fl": "4.75", "nest": {"x": {"y": [1, {"z": "deep"}]}},
 "messages": [{"role": "system", "content": "S"}, {"role": "user", "content": "hi <|im_end|>"}, {"role": "assistant", "content": None, "tool_calls": [{"function": {"name": "f", "arguments": {"a": 1, "b": [1, 2]}}}]}, {"role": "tool", "content": "r"}],
 "items": [["k1", 1], ["k2", 2]], "big": 9007199254740993, "sp": "a,b,,c",
}
VARS = [k for k in CTX] + ["missing"]
HAND = r'''
{{ s }}|{{ e }}|{{ missing }}|{{ n }}|{{ b }}|{{ nb }}|{{ i }}|{{ f }}|{{ l }}|{{ d }}|{{ mix }}
{{ missing.x }}
{{ missing['x'] }}
{{ d.missing }}
{{ d.missing.x }}
{{ d['a'] }}{{ d.a }}{{ l[0] }}{{ l[-1] }}{{ l[9] }}{{ s[0] }}{{ s[-1] }}{{ s[99] }}{{ l.0 }}
{{ s[1:4] }}|{{ s[::-1] }}|{{ s[:-3] }}|{{ s[-3:] }}|{{ s[::2] }}|{{ l[1:] }}|{{ l[::-1] }}|{{ u[2:9] }}|{{ u[::-1] }}
{{ s[5:2] }}|{{ s[100:] }}|{{ l[-100:100] }}|{{ l[5:0:-2] }}|{{ u[-1] }}|{{ u[3] }}
{{ 1 + 2 * 3 - 4 / 2 }} {{ 7 // 2 }} {{ -7 // 2 }} {{ 7 % 3 }} {{ -7 % 3 }} {{ 7 % -3 }} {{ 2 ** 10 }} {{ 2 ** -1 }} {{ 7.5 // 2 }} {{ -7.5 % 2 }}
{{ 2 ** 3 ** 2 }} {{ -2 ** 2 }} {{ 1 - 1 - 1 }} {{ 2 * 3 ~ 4 }} {{ 1 ~ 2 + 3 }}
{{ 'a' 'b' "c" }} {{ 'a' * 3 }} {{ 3 * 'ab' }} {{ [1] * 2 }} {{ 'x' + 1 }}
{{ 1 / 0 }}
{{ 1 // 0 }}
{{ 1 % 0 }}
{{ 1 < 2 < 3 }} {{ 1 < 3 < 2 }} {{ 1 == 1.0 }} {{ 'a' < 'b' }} {{ [1,2] < [1,3] }} {{ true == 1 }} {{ none == none }} {{ 'a' == 1 }}
{{ 'a' < 1 }}
{{ none < 1 }}
{{ 'H' in s }} {{ 1 in l }} {{ 'a' in d }} {{ 'zz' not in s }} {{ 1 not in l }} {{ 'a' in missing }}
{{ 1 in s }}
{{ 1 in i }}
{{ not true }} {{ not e }} {{ true and 'x' }} {{ e or 'dflt' }} {{ n and 1 }} {{ 1 or 2 and 3 }} {{ not 1 == 2 }}
{{ 'yes' if b else 'no' }} {{ 'yes' if nb }} {{ 'a' if nb else 'b' if nb else 'c' }}
{{ ('yes' if nb).x }}
{{ [1, 'a', none, true, 1.5, [], {}] }} {{ (1,) }} {{ () }} {{ (1, 2) }} {{ {'a': 1, 'b': [2]} }} {{ {1: 'x', none: 2} }}
{{ {'a': 1, 'a': 2} }} {{ {1: 'a', 1.0: 'b', true: 'c'} }}
{{ 1, 2 }} {{ (1, 2)[0] }} {{ [1, 2,] }} {{ {'a': 1,}.a }}
{{ 0x1F }} {{ 0b101 }} {{ 0o17 }} {{ 1_000 }} {{ 1.5e3 }} {{ 1e5 }} {{ 1e16 }} {{ 1e-5 }} {{ 0.1 + 0.2 }} {{ 1e22 }} {{ 123456789012345678.0 }} {{ 00 }}
{{ 100000000000000000000 }}
{{ 1.0 }} {{ 3.14 }} {{ 1.10 }} {{ -0.0 }} {{ 5e-324 }} {{ 1e308 }}
{{ 'a\nb\tc\\d\'e\"f' }}|{{ "\x41\u00e9\U0001F600\101" }}|{{ '\d\q' }}|{{ 'a\
b' }}
{{ "é\é" }}
{{ '\u12' }}
{{ '\N{BULLET}' }}
{{ [q] }} {{ q }} {{ [u] }} {{ [html] }} {{ ["it's"] }} {{ ['"'] }} {{ ["'\""] }}
{% if i %}A{% elif f %}B{% else %}C{% endif %}
{% if z %}A{% elif f %}B{% else %}C{% endif %}
{% if z %}A{% elif e %}B{% else %}C{% endif %}
{% if missing %}A{% endif %}{% if not missing %}B{% endif %}
{% for x in l %}{{ x }}{% if not loop.last %},{% endif %}{% endfor %}
{% for x in l %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }}{{ loop.depth }}{{ loop.depth0 }};{% endfor %}
{% for x in l %}{{ loop.previtem }}<{{ x }}>{{ loop.nextitem }} {% endfor %}
{% for x in l %}{{ loop.previtem.foo }}{% endfor %}
{% for x in l %}{{ loop.cycle('a', 'b') }}{% endfor %}
{% for x in [1,1,2,2,1] %}{{ loop.changed(x) }} {% endfor %}
{% for x in le %}x{% else %}empty{% endfor %}
{% for x in l %}{% break %}{% else %}empty{% endfor %}
{% for x in l %}{% continue %}{% else %}empty{% endfor %}
{% for x in l if x > 1 %}{{ x }}:{{ loop.index }}/{{ loop.length }} {% endfor %}
{% for x in l if x > 5 %}{{ x }}{% else %}none{% endfor %}
{% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %}
{% for k, v in items %}{{ k }}={{ v }};{% endfor %}
{% for k in d %}{{ k }}{% endfor %}{% for c in s %}{{ c }}.{% endfor %}{% for c in u %}{{ c }}.{% endfor %}
{% for a, b in l %}{{ a }}{% endfor %}
{% for a in i %}{{ a }}{% endfor %}
{% for a in none %}{{ a }}{% endfor %}
{% for a in missing %}{{ a }}{% else %}E{% endfor %}
{% for (a, b), c in [((1, 2), 3)] %}{{ a }}{{ b }}{{ c }}{% endfor %}
{% for x in range(3) %}{{ x }}{% endfor %}{{ range(2, 8, 3) }}{{ range(5)[1:3] }}{{ range(3)|list }}{{ range(5, 0, -2)|list }}{{ range(3)[-1] }}{{ 2 in range(3) }}
{{ range(1000000)|length }}
{{ range(0, 10, 0) }}
{% for x in l %}{% for y in ls %}{{ loop.index }}{{ x }}{{ y }} {% endfor %}{{ loop.index }}{% endfor %}
{% for x in l %}{% set o = loop %}{% for y in ls %}{{ o.index }}-{{ loop.index }} {% endfor %}{% endfor %}
{% for x in [[1,[2,[]]],[3]] recursive %}({% if x is iterable %}{{ loop(x) }}{% else %}{{ x }}@{{ loop.depth }}{% endif %}){% endfor %}
{% for x in l %}{{ loop }}{% endfor %}
{{ loop }}
{% for loop in l %}{% endfor %}
{% set x = 1 %}{% for y in l %}{% set x = x + y %}{{ x }} {% endfor %}{{ x }}
{% set ns = namespace(x=1) %}{% for y in l %}{% set ns.x = ns.x + y %}{% endfor %}{{ ns.x }}{{ ns }}
{% set ns = namespace() %}{% set ns.a = 1 %}{{ ns.a }}{{ ns.b }}{{ ns['a'] }}{{ ns.a is defined }}{{ ns.b is defined }}
{% set ns = namespace({'a': 1}, b=2) %}{{ ns.a }}{{ ns.b }}
{% set ns = namespace(_x=1) %}
{% set ns = namespace() %}{% set ns._x = 1 %}
{% set d.a = 1 %}
{% set a, b = 1, 2 %}{{ a }}{{ b }}
{% set a, b = [1, 2, 3] %}{{ a }}{{ b }}
{% set (a, b) = (1, 2) %}{{ a }}{{ b }}
{% set ns = namespace() %}{% set ns.a, b = 1, 2 %}{{ ns.a }}{{ b }}
{% set x %}block {{ s }}{% endset %}[{{ x }}]
{% set x | upper | trim %} block {{ s }} {% endset %}[{{ x }}]
{% set x %}{% set y = 1 %}{{ y }}{% endset %}{{ x }}{{ y }}
{% if true %}{% set x = 5 %}{% endif %}{{ x }}
{% with a = 1, b = i %}{{ a }}{{ b }}{% endwith %}{{ a }}
{% with %}{% set a = 2 %}{{ a }}{% endwith %}{{ a }}
{% set a = 5 %}{% with a = 1, b = a %}{{ a }}{{ b }}{% endwith %}
{% macro m(a, b=2) %}[{{ a }},{{ b }}]{% endmacro %}{{ m(1) }}{{ m(1, 3) }}{{ m(b=1, a=2) }}{{ m() }}
{% macro m(a, b=a) %}[{{ a }},{{ b }}]{% endmacro %}{{ m(1) }}
{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1, 2) }}
{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1, z=2) }}
{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1, a=2) }}
{% macro m(a) %}{{ a }}{{ varargs }}{{ kwargs }}{% endmacro %}{{ m(1, 2, 3, k=4) }}
{% macro m() %}{{ x }}{% endmacro %}{% set x = 3 %}{{ m() }}
{% macro m(n) %}{{ n }}{% if n > 0 %}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(3) }}
{% macro m() %}<{{ caller() }}>{% endmacro %}{% call m() %}body {{ s }}{% endcall %}
{% macro m() %}<{{ caller(1, 2) }}>{% endmacro %}{% call(a, b) m() %}{{ a }}+{{ b }}{% endcall %}
{% macro m() %}<{{ caller() }}>{% endmacro %}{{ m() }}
{% macro m(caller) %}x{% endmacro %}
{% macro m(caller=none) %}{{ caller }}x{% endmacro %}{{ m() }}
{% macro m() %}x{% endmacro %}{% call m() %}y{% endcall %}
{% macro m() %}x{% endmacro %}{{ m }}{{ m.name }}{{ m is callable }}
{% macro m(a) %}{% for x in a %}{{ loop.index }}{{ x }}{% endfor %}{% endmacro %}{% for y in l %}{{ m(ls) }}{% endfor %}
{% filter upper %}abc {{ s }}{% endfilter %}
{% filter upper|replace('A', 'x') %}abc {{ s }}{% endfilter %}
{% raw %}{{ not }} {% x %}{% endraw %}
{%- raw -%}  {{ a }}  {%- endraw -%}  x
{% raw %}
x
{% endraw %}
y
a {# comment #} b{#- c -#} d {#
multi
#}
e
{%- if true -%}  x  {%- endif -%}  y
  {% if true %}  
x
  {% endif %}
y
  {%+ if true %}
x
  {%+ endif +%}
y
a
  {{ s }}
  {{- s -}}  
b
{% if true +%}
x{% endif %}
x{{ s -}}
   y
  {# c #}
  x
 a {% if true %}b{% endif %}
{{ s|upper }}{{ s|lower }}{{ u|upper }}{{ u|lower }}{{ u|title }}{{ u|capitalize }}{{ s|title }}{{ 'foo-bar (baz) [q] {x} <y> it\'s'|title }}
{{ u.upper() }}{{ u.lower() }}{{ u.title() }}{{ u.capitalize() }}{{ u.swapcase() }}{{ "it's a tEST".title() }}
{{ w|trim }}|{{ w.strip() }}|{{ w.lstrip() }}|{{ w.rstrip() }}|{{ 'xxaxx'.strip('x') }}|{{ 'xyaxy'|trim('xy') }}|{{ 'abc'.lstrip('ab') }}
{{ l|join(',') }}{{ l|join }}{{ ls|join(', ') }}{{ users|join(', ', attribute='name') }}{{ mix|join('-') }}
{{ ','.join(ls) }}
{{ ','.join(l) }}
{{ l|length }}{{ s|length }}{{ u|length }}{{ d|length }}{{ missing|length }}{{ l|count }}
{{ i|length }}
{{ n|length }}
{{ l|first }}{{ l|last }}{{ s|first }}{{ s|last }}{{ le|first }}{{ le|last }}{{ d|first }}{{ d|last }}
{{ (le|first).x }}
{{ missing|default('x') }}{{ n|default('x') }}{{ n|default('x', true) }}{{ e|d('y', boolean=true) }}{{ e|default('y') }}{{ missing|default }}
{{ s|replace('o', '0') }}{{ s|replace('o', '0', 1) }}{{ s.replace('l', 'L', 2) }}{{ s|replace('', '-') }}{{ ''|replace('', '-') }}{{ s|replace('', '-', 3) }}{{ i|replace(7, 8) }}{{ u|replace('', '.') }}
{{ 'a,b,c'.split(',') }}{{ 'a b  c '.split() }}{{ 'a b c'.split(' ', 1) }}{{ ' a b c '.split(none, 1) }}{{ 'a,b,c'.rsplit(',', 1) }}{{ ' a b c '.rsplit(none, 1) }}{{ ''.split() }}{{ ''.split(',') }}{{ lines.split('\n') }}
{{ s.split('') }}
{{ lines.splitlines() }}{{ lines.splitlines(true) }}{{ 'a\x0bb\x1cc\u2028d\x85e'.splitlines() }}
{{ s.startswith('He') }}{{ s.endswith('ld') }}{{ s.startswith(('x', 'H')) }}{{ s.startswith('W', 6) }}{{ s.endswith('o', 0, 5) }}{{ s.startswith('') }}
{{ s.startswith(1) }}
{{ s.find('o') }}{{ s.rfind('o') }}{{ s.find('zz') }}{{ s.find('o', 5) }}{{ u.find('世') }}{{ s.index('W') }}{{ s.count('l') }}{{ s.count('') }}{{ u.count('') }}
{{ s.index('zz') }}
{{ s.isdigit() }}{{ '12'.isdigit() }}{{ '½'.isnumeric() }}{{ '²'.isdigit() }}{{ '²'.isdecimal() }}{{ 'ab'.isalpha() }}{{ 'ab1'.isalnum() }}{{ ' '.isspace() }}{{ 'AB'.isupper() }}{{ 'ab'.islower() }}{{ 'Ab Cd'.istitle() }}{{ 'a_1'.isidentifier() }}{{ ''.isalpha() }}{{ 'é'.isascii() }}{{ q.isprintable() }}
{{ s.partition(' ') }}{{ s.rpartition('o') }}{{ s.partition('zz') }}{{ s.rpartition('zz') }}{{ s.removeprefix('He') }}{{ s.removesuffix('ld') }}{{ 'a'.ljust(4) }}|{{ 'a'.rjust(4, '*') }}|{{ 'ab'.center(7, '-') }}|{{ '-5'.zfill(4) }}|{{ '5'.zfill(3) }}
{{ 'abc'|center(10) }}|{{ 'abcd'|center(7) }}|{{ 'abc'.center(6) }}
{{ d.keys() }}{{ d.values() }}{{ d.items() }}{{ d.get('a') }}{{ d.get('zz') }}{{ d.get('zz', 5) }}{{ d.keys()|list }}{{ d|items|list }}
{{ d.pop('a') }}
{{ l.append(1) }}
{{ d.update({'a': 2}) }}
{{ l.sort() }}
{{ l.append }}
{{ l.index(1) }}{{ l.count(3) }}{{ (1, 2, 1).count(1) }}
{{ l.index(99) }}
{{ l|sort }}{{ l|sort(reverse=true) }}{{ ls|sort }}{{ ls|sort(case_sensitive=true) }}{{ users|sort(attribute='age')|map(attribute='name')|list }}{{ users|sort(attribute='age,name')|map(attribute='name')|list }}{{ users|sort(attribute='t.x', reverse=true)|map(attribute='name')|list }}
{{ mix|sort }}
{{ ls|unique|list }}{{ ['a', 'A', 'b']|unique|list }}{{ ['a', 'A', 'b']|unique(true)|list }}{{ users|unique(attribute='age')|map(attribute='name')|list }}
{{ l|min }}{{ l|max }}{{ ls|min }}{{ ls|max }}{{ le|min }}{{ (users|max(attribute='age')).name }}{{ l|sum }}{{ users|sum(attribute='age') }}{{ l|sum(start=10) }}
{{ ls|sum }}
{{ users|groupby('age') }}
{% for a, us in users|groupby('age') %}{{ a }}:{{ us|map(attribute='name')|join(',') }};{% endfor %}{% for g in users|groupby('name') %}{{ g.grouper }}{{ g.list|length }}{% endfor %}
{% for a, us in users|groupby('on', default='no') %}{{ a }}{% endfor %}
{{ users|map(attribute='name')|list }}{{ ls|map('upper')|list }}{{ users|map(attribute='zz')|list }}{{ users|map(attribute='zz', default='-')|list }}{{ users|map(attribute='t.x')|list }}{{ items|map(attribute=0)|list }}{{ items|map(attribute='1')|list }}{{ ls|map('replace', 'a', 'X')|join }}
{{ ls|map('nofilter')|list }}
{{ ls|map|list }}
{{ l|select('odd')|list }}{{ l|reject('odd')|list }}{{ l|select('gt', 1)|list }}{{ l|select('>', 1)|list }}{{ mix|select|list }}{{ mix|select('string')|list }}{{ users|selectattr('on')|list|length }}{{ users|selectattr('age', 'equalto', 30)|map(attribute='name')|list }}{{ users|rejectattr('age', '==', 30)|map(attribute='name')|list }}{{ users|rejectattr('on', 'defined')|map(attribute='name')|list }}{{ users|selectattr('t.x', 'in', [1, 2])|list|length }}
{{ users|selectattr|list }}
{{ l|select('nope')|list }}
{{ l|reverse|list }}{{ s|reverse }}{{ u|reverse }}{{ d|reverse|list }}
{{ i|reverse }}
{{ l|batch(2)|list }}{{ l|batch(2, 'x')|list }}{{ l|slice(2)|list }}{{ l|slice(2, 'x')|list }}{{ range(7)|slice(3)|list }}
{{ '42'|int }}{{ '4.7'|int }}{{ 'x'|int }}{{ 'x'|int(5) }}{{ '0x1f'|int(base=16) }}{{ '1f'|int(0, 16) }}{{ 4.9|int }}{{ true|int }}{{ n|int }}{{ ' 12 '|int }}{{ '1_000'|int }}{{ '-5'|int }}{{ '+5'|int }}{{ '1e3'|int }}{{ ''|int }}{{ '- 5'|int }}{{ l|int }}
{{ '4.5'|float }}{{ 'x'|float }}{{ 'x'|float(1.5) }}{{ 3|float }}{{ '1e3'|float }}{{ 'inf'|float }}{{ 'nan'|float }}{{ '-Infinity'|float }}{{ '1_0.5'|float }}{{ '.5'|float }}{{ '5.'|float }}
{{ missing|int }}
{{ 2.567|round }}{{ 2.567|round(2) }}{{ 2.5|round }}{{ 3.5|round }}{{ 7|round }}{{ 2.1|round(method='ceil') }}{{ 2.9|round(0, 'floor') }}{{ 42.55|round(1, 'floor') }}{{ 1234|round(-2) }}{{ 2.675|round(2) }}{{ 0.5|round|int }}{{ 25|round(-1) }}
{{ 'x'|round }}
{{ -5|abs }}{{ neg|abs }}{{ f|abs }}{{ -5.5|abs }}
{{ s|string }}{{ i|string + 'x' }}{{ l|string|length }}{{ n|string }}{{ missing|string }}|{{ missing|upper }}|{{ i|upper }}
{{ html|escape }}{{ html|e }}{{ html|safe }}{{ (html|safe) + '<' }}{{ '<' + (html|safe) }}{{ (html|safe) ~ '<' }}{{ html|e|e }}{{ html|forceescape }}{{ [html|e] }}{{ html|striptags }}{{ '<!-- x --> a  <p>b</p>'|striptags }}
{{ lines|indent }}|{{ lines|indent(2) }}|{{ lines|indent(2, true) }}|{{ lines|indent(2, true, true) }}|{{ lines|indent('> ') }}|{{ lines|indent(width=1, first=true) }}
{{ missing|indent }}
{{ d|tojson }}{{ mix|tojson }}{{ q|tojson }}{{ u|tojson }}{{ u|tojson(ensure_ascii=true) }}{{ d|tojson(indent=2) }}{{ mix|tojson(indent=4) }}{{ d|tojson(separators=(',', ':')) }}{{ {'b': 1, 'a': 2}|tojson(sort_keys=true) }}{{ le|tojson(indent=2) }}{{ de|tojson(indent=2) }}{{ html|tojson }}{{ 1.0|tojson }}{{ 1e20|tojson }}{{ (1, 2)|tojson }}{{ {1: 2, none: 3, true: 4, 1.5: 2}|tojson }}{{ d|tojson(indent='--') }}{{ d|tojson(indent=0) }}
{{ missing|tojson }}
{{ d.items()|tojson }}
{{ range(3)|tojson }}
{{ d|dictsort }}{{ {'b': 2, 'A': 1, 'c': 0}|dictsort }}{{ {'b': 2, 'A': 1, 'c': 0}|dictsort(true) }}{{ {'b': 2, 'A': 1, 'c': 0}|dictsort(by='value') }}{{ {'b': 2, 'A': 1}|dictsort(reverse=true) }}
{{ s|truncate(5) }}{{ 'foo bar baz qux'|truncate(9) }}{{ 'foo bar baz qux'|truncate(9, true) }}{{ 'foo bar baz qux'|truncate(11, false, '...', 0) }}
{{ '%s and %d' % ('a', 5) }}{{ '%s' % s }}{{ '%5.2f|%-5s|%05d|%x|%%' % (3.14159, 'ab', 42, 255) }}{{ '%s %s'|format('a', 'b') }}{{ '%(a)s' % {'a': 1} }}{{ '%r' % 'x' }}{{ '%+d % d %e %g %c' % (5, 5, 12345.678, 0.0001, 'x') }}{{ '%.3s|%8.3s|' % ('abcdef', 'abcdef') }}{{ '%.3d' % 5 }}{{ '%#x' % 255 }}{{ '%i' % 5.7 }}{{ '%s' % (l,) }}{{ '%s' % n }}
{{ '%s %s' % 'a' }}
{{ '%s' % ('a', 'b') }}
{{ '%d' % 'a' }}
{{ '%y' % 1 }}
{{ '{} {}'.format('a', 5) }}{{ '{1} {0}'.format('a', 'b') }}{{ '{x}'.format(x=1) }}{{ '{0.a} {0[b]}'.format(d) }}{{ '{:>5}|{:<5}|{:^5}|{:*^7}|{:05d}|{:.2f}|{:,}|{:x}|{:+}'.format('a', 'b', 'c', 'd', 42, 3.14159, 1234567, 255, 5) }}{{ '{{}}'.format() }}{{ '{!r}'.format('x') }}{{ '{:%}'.format(0.5) }}{{ '{:e}'.format(12345.678) }}{{ '{:.3}'.format('abcdef') }}{{ '{:10.4}|'.format(3.14159265) }}{{ '{}'.format(l) }}{{ '{:d}'.format(true) }}{{ '{}'.format(true) }}
{{ '{}'.format() }}
{{ '{'.format() }}
{{ '{} {0}'.format(1) }}
{{ '{:d}'.format('x') }}
{{ i is number }}{{ f is float }}{{ i is integer }}{{ b is boolean }}{{ b is true }}{{ nb is false }}{{ b is integer }}{{ b is number }}{{ s is string }}{{ d is mapping }}{{ l is sequence }}{{ s is sequence }}{{ d is sequence }}{{ i is sequence }}{{ l is iterable }}{{ i is iterable }}{{ n is none }}{{ missing is defined }}{{ missing is undefined }}{{ s is not defined }}{{ range is callable }}{{ missing is iterable }}{{ missing is sequence }}{{ missing is callable }}{{ missing is mapping }}{{ d.items() is sequence }}{{ d.items() is iterable }}
{{ i is odd }}{{ i is even }}{{ i is divisibleby 7 }}{{ i is divisibleby(2) }}{{ i is eq 7 }}{{ i is equalto(7) }}{{ i is ne 7 }}{{ i is gt 3 }}{{ i is lt 3 }}{{ i is ge 7 }}{{ i is le 6 }}{{ i is in [7] }}{{ 'a' is in 'abc' }}{{ s is lower }}{{ 'ABC' is upper }}{{ n is sameas none }}{{ b is sameas true }}{{ 'upper' is filter }}{{ 'odd' is test }}{{ 'nope' is filter }}
{{ i is nope }}
{{ i|nope }}
{% if false %}{{ i|nope }}{% endif %}ok
{% for x in [] %}{{ i|nope }}{% endfor %}ok
{{ (i|nope) if false else 'ok' }}
{% if i is nope %}{% endif %}
{{ 'x' is odd }}
{{ i is defined is true }}
{{ i is not none and s is string }}{{ not i is none }}{{ i is divisibleby 7 and true }}
{{ none is none }}{{ i is none or b }}{{ 'a' is in ls }}{{ 1 is not in l }}
{{ raise_exception('boom') }}
{{ raise_exception() }}
{{ strftime_now('%Y-%m-%d %H:%M %B %b %d %A %j') }}
{{ dict(a=1, b=2) }}{{ dict([('a', 1)]) }}{{ dict({'a': 1}, b=2) }}{{ dict() }}
{% set j = joiner(',') %}{{ j() }}a{{ j() }}b{{ j() }}c
{% set c = cycler('a', 'b') %}{{ c.next() }}{{ c.next() }}{{ c.current }}{{ c.next() }}{{ c.reset() }}{{ c.current }}
{{ cycler() }}
{{ s() }}
{{ missing() }}
{{ d.a() }}
{{ none.x }}
{{ none.x.y }}
{{ i.x }}{{ i.real }}{{ f.imag }}
{{ s.__class__ }}
{{ s.__class__.__mro__ }}
{{ s['__class__'] }}
{{ d._x }}
{{ l.__len__() }}
{{ d['items'] }}x
{{ {'items': 5}.items }}
{{ {'items': 5}['items'] }}
{{ {'get': 5}.get('get') }}
{{ nest.x.y[1].z }}{{ nest['x']['y'][0] }}{{ nest.x.y.0 }}
{{ l[1.0] }}{{ l['a'] }}{{ d[1] }}{{ d[l] }}
{{ l[n] }}{{ s['x'] }}{{ l[true] }}
{{ l[:'a'] }}
{{ d[1:2] }}
{{ l[::0] }}
{{ 1 if true else 2 if false else 3 }}{{ (1 if false else 2) if true else 3 }}
{{ [1, 2][0] }}{{ {'a': 1}['a'] }}{{ 'abc'[1] }}{{ 'abc'.upper() }}{{ ('a' ~ 'b').upper() }}{{ 'a'|upper ~ 'b'|upper }}{{ -i|abs }}{{ - i }}{{ + i }}{{ -l }}
{{ 'a' ~ 1 ~ none ~ true ~ missing ~ [1] }}
{{ l + [4] }}{{ l + (4,) }}
{{ (1,) + (2,) }}{{ missing + 1 }}
{{ missing ~ 'x' }}{{ missing == missing2 }}{{ missing == none }}{{ missing != 1 }}{{ missing|list }}{{ missing|join }}{{ missing in [1] }}
{{ missing < 1 }}
{{ [missing] }}{{ [missing]|join }}{{ {'a': missing} }}
{{ true + 1 }}{{ true * 2 }}{{ true|string }}{{ 1 == true }}{{ True and False }}{{ None }}
{{ big }}{{ big + 1 }}{{ big * 1.0 }}
{{ 9223372036854775807 + 0 }}{{ 2 ** 62 }}
{% print s %}{% print 1, 2 %}
{% unknown %}
{% if %}x{% endif %}
{% if true %}
{% for x in l %}{{ x }}
{% endfor %}
{{ }}
{{ 1 + }}
{{ (1 }}
{{ 1) }}
{{ [1, 2 }}
{{ 'abc }}
{{ a b }}
{{ x..y }}
{{ 1 ! 2 }}
{{ a @ b }}
{% set 1 = 2 %}
{% set none = 2 %}
{% set x.y.z = 2 %}
{% set x = %}
{% for in l %}{% endfor %}
{% for x l %}{% endfor %}
{% macro %}{% endmacro %}
{% macro m( %}{% endmacro %}
{% macro m(a=1, b) %}{% endmacro %}
{% macro m(a) %}
{% call s %}{% endcall %}
{% endif %}
{% else %}
{% break %}
{% for x in l %}{% macro m() %}{% break %}{% endmacro %}{% endfor %}
{{ f(a=1, a=2) }}
{{ f(a=1, 2) }}
{{ dict(**{'a': 1}) }}{{ dict(*[[('a', 1)]]) }}{{ '{}{}'.format(*[1, 2]) }}
{{ dict(**l) }}
{% generation %}x{{ s }}{% endgeneration %}y
{% generation %}{% set x = 1 %}{{ x }}{% endgeneration %}{{ x }}
{% generation %}x
{% for m in messages %}{% if m.role == 'assistant' %}{% generation %}{{ m.content }}{% endgeneration %}{% else %}{{ m.content }}{% endif %}{% endfor %}
{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + (message['content'] or '') + '<|im_end|>' + '\n' }}{% endfor %}
{% for m in messages %}{% if m.tool_calls %}{% for t in m.tool_calls %}{{ t.function | tojson }}{{ t.function.arguments|tojson }}{% for k, v in t.function.arguments|items %}{{ k }}:{{ v }}{% endfor %}{% endfor %}{% endif %}{% endfor %}
{% set loop_messages = messages[1:] %}{{ loop_messages|length }}{{ loop_messages[0].role }}{{ messages[-1]['role'] }}{{ messages[::-1]|map(attribute='role')|list }}
{{ messages|selectattr('role', 'equalto', 'user')|list|length }}{{ (messages|selectattr('role', 'equalto', 'user')|list|last).content }}{{ (messages|selectattr('role', 'equalto', 'user')|first)['content'] }}
{{ messages[0]['content'] is string }}{{ messages[2].content is none }}{{ messages[2].tool_calls is defined }}{{ messages[1].tool_calls is defined }}{{ messages[99] is defined }}
{%- set ns = namespace(found=false) -%}{%- for m in messages[::-1] -%}{%- if m.role == 'user' and not ns.found -%}{%- set ns.found = true -%}{{ m.content }}{%- endif -%}{%- endfor -%}
{% for m in messages if not ns2 %}{{ m.role }}{% endfor %}
{% set ns = namespace(go=true) %}{% for x in l if ns.go %}{{ x }}{% set ns.go = false %}{% endfor %}
{{ 'think' in 'x</think>y' }}{{ 'x</think>y'.split('</think>')[-1].lstrip('\n') }}{{ 'a</think>b'.split('</think>')[0].rstrip('\n').split('<think>')[-1].lstrip('\n') }}
{% set content %}{% for x in l %}{{ x }}{% endfor %}{% endset %}{{ content|length }}
{% set x = 'a' if missing is defined else 'b' %}{{ x }}
{% set x = messages[0]['content'] | trim + '\n' %}{{ x }}
{{ 'a' | trim + 'b' }}{{ ('a' + ' b ') | trim }}{{ s | upper | lower | length }}{{ -1 | abs }}{{ 1 + 2 | string }}
{% if s == 'Hello World' and (i > 5 or f < 2) and not nb %}yes{% endif %}
{% if messages[0].role == 'system' %}{% set sys = messages[0].content %}{% endif %}{{ sys }}
{{ s|attr('upper') is callable }}{{ d|attr('a') }}{{ d|attr('items') is callable }}
{{ l|list is sequence }}{{ (l|map('string')) is sequence }}{{ (l|map('string')) is iterable }}
{{ l|map('string')|length }}
{% set g = l|map('string') %}{{ g|list }}{{ g|list }}
{% set g = l|map('string') %}{{ g|first }}{{ g|list }}
{{ l|map('string')|last }}
{{ 'a' if l|map('string') else 'b' }}{{ 'a' if le|select else 'b' }}
{% autoescape false %}x{% endautoescape %}
{% block a %}x{% endblock %}
{% include 'x' %}
{% import 'x' as y %}
{% extends 'x' %}
{% do l.append(1) %}
{{ self }}
{{ lipsum }}
{{ s|pprint }}
{{ s|wordcount }}
{{ 'ΑΣ ΟΔΥΣΣΕΥΣ Σ'.lower() }}{{ 'ŉ ﬁ ΐ'.upper() }}{{ 'ﬁ ǆ'.title() }}{{ 'İ'.lower() }}{{ 'ᲀ'.upper() }}
a
{%- for x in l %}

{{ x }}
{%- endfor %}

b
{{ "a" if b }}{{ "a" if nb is defined and nb else "c" }}
{{ {'a': {'b': 1}}.a.b }}{{ {'a': {'b': {}}}['a']['b'] }}{{ {'}}': 1} }}{{ '}}' }}{{ '{%' }}
{{ '{{' }}{% raw %}{{{% endraw %}{# {{ #}
{{ 1.5.real }}{{ 1 .real }}{{ l.0 }}{{ items.0.1 }}
{{ s
 | upper
}}
{%
 if true
%}x{%
endif
%}
{{ true|lower }}{{ none|upper }}{{ 1.5|string }}{{ [1]|string|upper }}
'''
