#!/usr/bin/env python3
"""embed_page.py PAGE: prints C++ that defines report_page (report_page.h) as the bytes of that file."""
import sys

PIECE = 8192  # A string literal may not be as long as one likes, pieces side by side may.

page = open(sys.argv[1], encoding="utf-8").read()
if page.count("@REPORT@") != 1:
    sys.exit(f"{sys.argv[1]}: expected one @REPORT@, where the figures go")
print('#include "load/report_page.h"\n\nnamespace ringwall::load {\n\nconst std::string_view report_page =')
for at in range(0, len(page), PIECE):
    print(f'    R"page({page[at:at + PIECE]})page"')
print("    ;\n\n}  // namespace ringwall::load")
