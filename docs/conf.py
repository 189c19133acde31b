"""Says how Sphinx makes a site of the repository's pages; `make docs` runs it over the whole checkout.

The README and all other Markdown are pages as well, so that their links are checked, and a link to any other file hands
that file out. The navigation is _toc.yml. Nothing is fetched from elsewhere when a page is read: the theme has no fonts
and no scripts but its own, and `tools/site.py` looks at what was made.
"""

project = "NovaHunt"
extensions = ["myst_parser", "sphinx_external_toc"]
external_toc_path = "docs/_toc.yml"

# Hidden folders are caches of tools; a checkout may hold the others, which Git ignores.
include_patterns = ["**.md"]
exclude_patterns = [".*", "build", "data", "dist"]

# Anchors as GitHub makes them, where the same pages are read.
myst_heading_anchors = 6

html_theme = "furo"
html_title = "NovaHunt"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
# Options begin with two hyphens, and stay so.
smartquotes = False
highlight_language = "none"
