// report_page.h: report.html, as the build puts it into the program.
#pragma once

#include <string_view>

namespace ringwall::load {

extern const std::string_view report_page;

}  // namespace ringwall::load
