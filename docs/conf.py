"""How Sphinx builds the documentation: `make docs`."""

import re

import langgraph_client

project = "langgraph_client"
copyright = "the authors of langgraph_client"
release = version = langgraph_client.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_copybutton"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"langgraph_client {release}"
html_static_path = []

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
suppress_warnings = ["myst.xref_missing"]  # Links into the repository; tests/docs checks them.

# In docstrings, single backticks mark code.
default_role = "code"
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_class_signature = "mixed"
python_use_unqualified_type_names = True
autodoc_default_options = {"members": True, "show-inheritance": False}
copybutton_prompt_text = r"\$ |>>> "
copybutton_prompt_is_regexp = True


def mark_examples(app, what, name, obj, options, lines):
    """Make the indented examples of docstrings code; they are plain text in an editor."""
    marked, before, place = [], "", "text"
    for line in lines:
        is_indented = line.startswith("    ")
        if line == "Example:":
            marked += [".. rubric:: Example", "", ".. code-block:: default", ""]
            place = "example"
        elif re.match(r"[A-Z]\w+:$", line):  # `Args:` and the like, which napoleon reads.
            marked.append(line)
            place = "section"
        else:
            if line and not is_indented:
                place = "text"
            elif is_indented and place == "text" and not before.strip() and marked:
                marked += [".. code-block:: default", ""]
                place = "example"
            if place == "text" and re.match(r"(GET|POST|PUT|PATCH|DELETE) /", line):
                line = f"``{line}``"
            marked.append(line)
        before = line
    lines[:] = marked


def setup(app):
    """Connect before napoleon, whose priority is 500."""
    app.connect("autodoc-process-docstring", mark_examples, priority=400)
