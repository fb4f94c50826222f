#include "devnode/runtime.h"

#include <ringwall/connection/owned_slice.h>

#include <simdjson.h>

#include <fstream>
#include <memory>
#include <sstream>
#include <utility>
#include <vector>

#include "devnode/hex.h"

namespace ringwall::devnode {

namespace {

constexpr std::string_view magic = "meta";
constexpr std::size_t metadata_bytes_max = std::size_t{1} << 29;  // a compact length has to say it

// Core at 4 and Metadata at 2 (with metadata_versions and metadata_at_version), and nothing else: what is not there is
// not claimed.
constexpr std::string_view own_version =
    R"({"specName":"ringwall-devnode","implName":"ringwall-devnode","authoringVersion":0,"specVersion":1,)"
    R"("implVersion":0,"apis":[["0xdf6acb689907609b",4],["0x37e397fc7c91f5e4",2]],"transactionVersion":1,)"
    R"("stateVersion":1})";

// Metadata in version 14 of a runtime without pallets: enough for clients that want to follow heads. Its types: the
// empty tuple, u8 to u64, a hash, bytes, an event that there is none of, its record, and an extrinsic of four empty
// parts.
constexpr std::string_view own_metadata =
    "0x6d6574610e280000000400000400000503000800000504000c00000505001000000506001400000320000000040018000002"
    "04001c084072696e6777616c6c5f6465766e6f64653052756e74696d654576656e74000100002008306672616d655f737973"
    "74656d2c4576656e745265636f7264080445011c0454011400000024102873705f72756e74696d651c67656e657269634c75"
    "6e636865636b65645f65787472696e73696348556e636865636b656445787472696e736963101c4164647265737301001043"
    "616c6c0100245369676e6174757265010014457874726101000000000024040000";

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

Result<std::vector<std::byte>> decode(std::string_view content) {
  if (content.starts_with(magic)) {
    const auto bytes = std::as_bytes(std::span(content));
    return std::vector<std::byte>(bytes.begin(), bytes.end());
  }
  std::string_view text = trim(content);
  simdjson::dom::parser parser;
  simdjson::dom::element json;
  if (text.starts_with('{') || text.starts_with('"')) {
    if (parser.parse(text.data(), text.size()).get(json) != simdjson::SUCCESS)
      return fail("this JSON cannot be parsed");
    if (json.is_object() && json["result"].get(json) != simdjson::SUCCESS) return fail("this JSON has no \"result\"");
    if (json.get(text) != simdjson::SUCCESS) return fail("this JSON holds no text");
  }
  auto bytes = from_hex(text);
  if (!bytes) return fail("found neither SCALE bytes, which begin with \"meta\", nor their hexadecimal text with 0x");
  return std::move(*bytes);
}

}  // namespace

Result<Runtime> Runtime::create(std::string_view metadata, std::string version_json) {
  Runtime runtime;
  runtime.version_json_ = version_json.empty() ? std::string(own_version) : std::move(version_json);
  simdjson::dom::parser parser;
  if (!parser.parse(runtime.version_json_).is_object()) return fail("the runtime version is not a JSON object");
  runtime.version_json_ = trim(runtime.version_json_);
  const auto bytes = decode(metadata.empty() ? own_metadata : metadata);
  if (!bytes) return std::unexpected(bytes.error());
  const std::string_view text(reinterpret_cast<const char*>(bytes->data()), bytes->size());
  if (!text.starts_with(magic) || text.size() <= magic.size() || text.size() > metadata_bytes_max) {
    return fail("this is no metadata: that begins with \"meta\" and its version");
  }
  runtime.metadata_version_ = static_cast<std::uint8_t>(text[magic.size()]);
  auto digits = std::make_unique<std::string>(to_digits(*bytes));
  const auto memory = std::as_writable_bytes(std::span(*digits));
  runtime.metadata_digits_ = connection::make_owned_slice(std::move(digits), memory);
  return runtime;
}

Result<std::string> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream content;
  if (!file || !(content << file.rdbuf())) return fail_errno(path, errno);
  return std::move(content).str();
}

}  // namespace ringwall::devnode
