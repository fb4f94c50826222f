// call_result.h: the result in a JSON-RPC answer to a call with id 1.
#pragma once

#include <ringwall/upstream/chain_answers.h>

#include <simdjson.h>

#include <string_view>

namespace ringwall::upstream {

// It lives in the parser.
[[nodiscard]] CallResult<simdjson::dom::element> call_result(simdjson::dom::parser& parser, std::string_view json);

}  // namespace ringwall::upstream
