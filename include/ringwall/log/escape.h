// escape.h: foreign bytes made harmless: they end no line, make no field and steer no terminal.
//
// Pure. Escaped are control characters (those of Unicode too: C1, bidirectional marks, line separators, what has no
// width), and what is no UTF-8. Text says \n, \xHH for a byte and \u{HHHH} for a character. JSON says \u00HH, and
// U+FFFD for a byte that is no UTF-8; its strings are valid UTF-8 whatever came in.
// What is longer than `bytes_max` is cut between two characters and ends in "…".
// Source: RFC 3629 section 4, RFC 8259 section 7.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace ringwall::log {

// As it stands in the sentence of a line.
void append_sentence(std::string& out, std::string_view bytes, std::size_t bytes_max);
// A value: bare if it is a plain word, else between quotes.
void append_value(std::string& out, std::string_view bytes, std::size_t bytes_max);
// With its quotes.
void append_json(std::string& out, std::string_view bytes, std::size_t bytes_max);

}  // namespace ringwall::log
