"""What transformers makes of chat templates: chat.json.

    python3 make_chat.py [GGUF...]        (transformers 4.57, jinja2 3.1)

The templates are written here, in the manner of those that models come with; then small ones, for one feature each.
Templates of GGUF files that are named are tried as well, and printed to standard output instead of being kept.
"""
import json
import sys

from transformers.utils.chat_template_utils import _compile_jinja_template

CHATML = """{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system
You help.<|im_end|>
' }}{% endif %}{{'<|im_start|>' + message['role'] + '
' + message['content'] + '<|im_end|>' + '
'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant
' }}{% endif %}"""
LLAMA2 = """{% if messages[0]['role'] == 'system' %}{% set loop_messages = messages[1:] %}{% set system_message = messages[0]['content'] %}{% else %}{% set loop_messages = messages %}{% set system_message = false %}{% endif %}{% for message in loop_messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Roles must alternate') }}{% endif %}{% if loop.index0 == 0 and system_message != false %}{% set content = '<<SYS>>\\n' + system_message + '\\n<</SYS>>\\n\\n' + message['content'] %}{% else %}{% set content = message['content'] %}{% endif %}{% if message['role'] == 'user' %}{{ bos_token + '[INST] ' + content.strip() + ' [/INST]' }}{% elif message['role'] == 'assistant' %}{{ ' ' + content.strip() + ' ' + eos_token }}{% endif %}{% endfor %}"""
LLAMA3 = """{{- bos_token }}
{%- if custom_tools is defined %}
    {%- set tools = custom_tools %}
{%- endif %}
{%- if not date_string is defined %}
    {%- set date_string = "26 Jul 2024" %}
{%- endif %}
{%- if not tools is defined %}
    {%- set tools = none %}
{%- endif %}

{#- The system message stands first. #}
{%- if messages[0]['role'] == 'system' %}
    {%- set system_message = messages[0]['content'] | trim %}
    {%- set messages = messages[1:] %}
{%- else %}
    {%- set system_message = "" %}
{%- endif %}
{{- "<|start_header_id|>system<|end_header_id|>\\n\\n" }}
{%- if tools is not none %}
    {{- "Tools:\\n" }}
    {%- for t in tools %}
        {{- t | tojson(indent=4) }}
        {{- "\\n\\n" }}
    {%- endfor %}
{%- endif %}
{{- "Today: " + date_string + "\\n\\n" }}
{{- system_message }}
{{- "<|eot_id|>" }}
{%- for message in messages %}
    {%- if not (message.role == 'ipython' or message.role == 'tool' or 'tool_calls' in message) %}
        {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n'+ message['content'] | trim + '<|eot_id|>' }}
    {%- elif 'tool_calls' in message %}
        {%- if not message.tool_calls|length == 1 %}
            {{- raise_exception("One call at a time") }}
        {%- endif %}
        {%- set tool_call = message.tool_calls[0].function %}
        {{- '{"name": "' + tool_call.name + '", ' + '"parameters": ' }}
        {{- tool_call.arguments | tojson }}
        {{- "}" }}
        {{- "<|eot_id|>" }}
    {%- elif message.role == "tool" or message.role == "ipython" %}
        {%- if message.content is mapping or message.content is iterable %}
            {{- message.content | tojson }}
        {%- else %}
            {{- message.content }}
        {%- endif %}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}
{%- endif %}
"""
MISTRAL = """{%- if messages[0]["role"] == "system" %}
    {%- set system_message = messages[0]["content"] %}
    {%- set loop_messages = messages[1:] %}
{%- else %}
    {%- set loop_messages = messages %}
{%- endif %}
{%- set user_messages = loop_messages | selectattr("role", "equalto", "user") | list %}
{%- set ns = namespace() %}
{%- set ns.index = 0 %}
{%- for message in loop_messages %}
    {%- if not (message.role == "tool" or (message.tool_calls is defined and message.tool_calls is not none)) %}
        {%- if (message["role"] == "user") != (ns.index % 2 == 0) %}
            {{- raise_exception("user and assistant take turns") }}
        {%- endif %}
        {%- set ns.index = ns.index + 1 %}
    {%- endif %}
{%- endfor %}
{{- bos_token }}
{%- for message in loop_messages %}
    {%- if message["role"] == "user" %}
        {%- if loop.last and system_message is defined %}
            {{- "[INST] " + system_message + "\\n\\n" + message["content"] + "[/INST]" }}
        {%- else %}
            {{- "[INST] " + message["content"] + "[/INST]" }}
        {%- endif %}
    {%- elif message["role"] == "assistant" %}
        {{- " " + message["content"]|trim + eos_token}}
    {%- endif %}
{%- endfor %}{{ user_messages|length }}
"""
GEMMA = """{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system role') }}{% endif %}{% for message in messages %}{% if (message['role'] == 'assistant') %}{% set role = 'model' %}{% else %}{% set role = message['role'] %}{% endif %}{{ '<start_of_turn>' + role + '
' + message['content'] | trim + '<end_of_turn>
' }}{% endfor %}{% if add_generation_prompt %}{{'<start_of_turn>model
'}}{% endif %}"""
ZEPHYR = """{% for message in messages %}
{% if message['role'] == 'user' %}
{{ '<|user|>
' + message['content'] + eos_token }}
{% elif message['role'] == 'system' %}
{{ '<|system|>
' + message['content'] + eos_token }}
{% elif message['role'] == 'assistant' %}
{{ '<|assistant|>
'  + message['content'] + eos_token }}
{% endif %}
{% if loop.last and add_generation_prompt %}
{{ '<|assistant|>' }}
{% endif %}
{% endfor %}"""
THINKING = """{%- for message in messages[::-1] %}
    {%- set index = (messages|length - 1) - loop.index0 %}
    {%- if message.role == "user" and message.content is string and not(message.content.startswith('<tool>') and message.content.endswith('</tool>')) %}
        {{- index }}{% break %}
    {%- endif %}
{%- endfor %}
{%- for message in messages %}
    {%- if message.role == 'assistant' and '</think>' in message.content %}
        {%- set content = message.content.split('</think>')[-1].lstrip('\\n') %}
    {%- else %}
        {%- set content = message.content %}
    {%- endif %}
    {% generation %}{{- message.role ~ ': ' ~ content }}{% endgeneration %}

{%- endfor %}
{%- if enable_thinking is defined and enable_thinking is false %}
    {{- '<think>\\n\\n</think>\\n\\n' }}
{%- endif %}"""
SMALL = [
    "{{ 1 + 2 * 3 - 4 // 3 }} {{ 7 / 2 }} {{ -7 // 2 }} {{ -7 % 3 }} {{ 2.5 + 1 }} {{ 10 % 4 }}",
    "{{ [1, 'a', none, true, 1.5, {'k': [2]}] }}", "{{ {'a': 1, 'b': \"it's\"} | tojson }}",
    "{{ 'a' ~ 1 ~ none ~ true }}",
    "{{ x is defined }} {{ x is undefined }} {{ x }} {{ x | default('y') }} {{ '' | default('z', true) }}",
    "{{ 'b' in 'abc' }} {{ 'd' not in ['d'] }} {{ 1 in [1, 2] }}",
    "{% for a, b in {'x': 1, 'y': 2}.items() %}{{ a }}={{ b }}{{ ', ' if not loop.last }}{% endfor %}",
    "{% for i in range(3) %}{% if i == 1 %}{% continue %}{% endif %}{{ i }}{% else %}none{% endfor %}",
    "{% for i in [] %}x{% else %}empty{% endfor %}",
    "{% for i in range(5) if i is odd %}{{ loop.index }}:{{ i }} {% endfor %}",
    "{% set x = 1 %}{% for i in range(2) %}{% set x = 5 %}{% endfor %}{{ x }}",
    "{% set ns = namespace(a=1, b='q') %}{% for i in range(3) %}{% set ns.a = ns.a + i %}{% endfor %}{{ ns.a }}{{ ns.b }}",
    "{% set t %}block {{ 1 }}{% endset %}{{ t | upper }}",
    "{{ 'Hello World'.split(' ')[0] }} {{ 'a,b,c'.split(',', 1) }} {{ ' a  b '.split() }}",
    "{{ 'hello'[1:3] }} {{ 'hello'[-1] }} {{ [1,2,3][::-1] }} {{ 'abc'[::2] }}",
    "{{ ' x '.strip() }}|{{ ' x '.lstrip() }}|{{ ' x '.rstrip() }}|{{ 'xxaxx'.strip('x') }}",
    "{{ 'it is'.title() }} {{ 'ab'.upper() }} {{ 'hELLO' | capitalize }} {{ 'a-b' | replace('-', '+') }}",
    "{{ messages | map(attribute='role') | join(', ') }} {{ messages | length }} {{ (messages | first).role }} {{ (messages | last)['role'] }}",
    "a {%- if true -%} b {%- endif -%} c", "  {% if true %}\n  x\n  {% endif %}\ny\n", "x\n{# note #}\ny {#- n -#} z",
    "{%+ if true %} a{% endif +%}\nb",
    "{{ 1 if false else 2 }} {{ 'y' if false }}",
    "{{ not true or false and true }} {{ 1 < 2 < 3 }} {{ 3 > 2 >= 2 }} {{ 'a' < 'b' }}",
    "{{ (1, 2) | list }} {{ 'abc' | list }} {{ 3 | string + 'x' }} {{ '7' | int + 1 }}",
    "{{ {'a': {'b': 1}}.a.b }} {{ {'a': 1}.get('z', 'no') }} {{ {'a': 1}.get('z') }}",
    "{{ messages[0].nothing is defined }} {{ messages[0].get('content') }}",
    "{{ 'a' 'b' }} {{ \"q\\n\\tz\\\\ \\u00e9\" }}",
    "{{ 5 is number }} {{ 'a' is string }} {{ [] is iterable }} {{ {} is mapping }} {{ none is none }} {{ true is boolean }}",
    "{{ 'é😀' | length }} {{ 'é😀'[1] }} {{ {'é': '😀\\n\"'} | tojson }}",
    "{{ [3, 1] + [2] }} {{ 'x' * 3 if false else 'n' }}",
    "{{ loop is defined }} {% for m in messages %}{{ loop.previtem.role if loop.previtem is defined else '-' }}>{{ loop.nextitem.role if not loop.last else '-' }} {% endfor %}",
    "{{ 'a.b.c'.replace('.', '', 1) }} {{ 'banana'.count('an') }} {{ 'banana'.find('n') }}",
    "{{ messages | rejectattr('role', 'equalto', 'user') | map(attribute='content') | list }}",
    "{{ {} | tojson }} {{ [] | tojson }} {{ [1, [2]] | tojson(indent=2) }} {{ 1.0 | tojson }} {{ 'a/b' | tojson }}",
    "{{ true and 'x' }} {{ none or 'y' }} {{ '' or 0 }}",
    "{% if not messages %}no{% elif messages | length > 1 %}many{% else %}one{% endif %}",
]
ERRORS = ["{{ x.y }}", "{{ 1 + 'a' }}", "{% if %}", "{% for x in y %}", "{{ raise_exception('no') }}", "{{ 'a'",
    "{% endfor %}", "{{ 1 / 0 }}", "{{ [1].append(2) }}", "{{ 'a'|nofilter }}", "{% block x %}", "{{ 'x' is notest }}",
    "{{ nofunction() }}", "{% set messages[0] = 1 %}", "{{ messages.__class__.__mro__ }}{{ ''.__class__.x }}"]
CHATS = [
    [{"role": "user", "content": "Hi "}],
    [{"role": "system", "content": " Be brief. "}, {"role": "user", "content": "What is\n2+2?"},
        {"role": "assistant", "content": "<think>\nhm\n</think>\n\n 4 "}, {"role": "user", "content": "é😀?"}],
    [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}],
    [{"role": "assistant", "content": "first"}, {"role": "assistant", "content": "b"}],
    [{"role": "user", "content": "w?"},
        {"role": "assistant", "content": "",
            "tool_calls": [{"type": "function", "function": {"name": "f", "arguments": {"x": "é", "n": [1, 2.5]}}}]},
            {"role": "tool", "content": "{\"r\": 1}"}],
]
TOOLS = [
    {"type": "function",
        "function": {"name": "f", "description": "d",
            "parameters": {"type": "object", "properties": {"x": {"type": "string"}}, "required": ["x"]}}}]


def run(template, messages, prompt, others):
    try:
        return {"text": _compile_jinja_template(template).render(messages=messages, add_generation_prompt=prompt,
            bos_token="<s>", eos_token="</s>", tools=others.get("tools"), documents=None,
            **{k: v for k, v in others.items() if k != "tools"})}
    except Exception as error:
        return {"error": str(error)}


def cases(template, small=False):
    for number, messages in enumerate(CHATS[1:2] if small else CHATS):
        for prompt in ([True] if small else [True, False]):
            for others in ([{}] if small else [{}, {"tools": TOOLS, "enable_thinking": False}]):
                yield {"messages": messages, "prompt": prompt, "others": others,
                    **run(template, messages, prompt, others)}


files = sys.argv[1:]
if files:
    import gguf
    fields = [gguf.GGUFReader(file).fields["tokenizer.chat_template"] for file in files]
    print(json.dumps(
        [{"template": template, "cases": list(cases(template))}
            for template in (bytes(field.parts[-1]).decode() for field in fields)]))
else:
    everything = [{"template": template, "cases": list(cases(template))}
        for template in [CHATML, LLAMA2, LLAMA3, MISTRAL, GEMMA, ZEPHYR, THINKING]]
    everything += [{"template": template, "cases": list(cases(template, True))} for template in SMALL + ERRORS]
    with open("chat.json", "w") as file:
        json.dump(everything, file, ensure_ascii=True, indent=0)
        file.write("\n")
    for one in everything[7:]:
        kinds = {"error" in case for case in one["cases"]}
        if kinds != {one["template"] in ERRORS}:
            print("unexpected", one)
