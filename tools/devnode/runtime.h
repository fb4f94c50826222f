// runtime.h: what there is of a runtime: its version and its metadata, from files.
//
// The metadata is kept as hexadecimal text in memory that answers share, so that it goes to any number of readers
// without a copy. Owner: the node; thread: the server's.
#pragma once

#include <ringwall/error.h>
#include <ringwall/ring/slice.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace ringwall::devnode {

class Runtime {
 public:
  // `metadata` is what a file of metadata holds: SCALE bytes, their hexadecimal text, or JSON with that text alone or
  // as its "result"; empty: that of a runtime without pallets. `version_json` empty: a version of our own.
  [[nodiscard]] static Result<Runtime> create(std::string_view metadata, std::string version_json);

  // As state_getRuntimeVersion answers.
  [[nodiscard]] const std::string& version_json() const { return version_json_; }

  [[nodiscard]] std::size_t metadata_bytes() const { return metadata_digits_.size() / 2; }
  [[nodiscard]] std::uint8_t metadata_version() const { return metadata_version_; }  // of its format: 14, 15...

  // Another holder of the text: two digits a byte, without "0x".
  [[nodiscard]] ring::Slice metadata_digits() const { return metadata_digits_.share(metadata_digits_.bytes()); }

 private:
  Runtime() = default;

  std::string version_json_;
  ring::Slice metadata_digits_;
  std::uint8_t metadata_version_ = 0;
};

[[nodiscard]] Result<std::string> read_file(const std::string& path);

}  // namespace ringwall::devnode
