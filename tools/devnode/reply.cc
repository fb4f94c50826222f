#include "devnode/reply.h"

#include <ringwall/connection/owned_slice.h>

#include <fmt/format.h>

#include <iterator>
#include <memory>
#include <utility>

namespace ringwall::devnode {

namespace {

std::string_view as_text(const ring::Slice& slice) {
  return {reinterpret_cast<const char*>(slice.bytes().data()), slice.size()};
}

}  // namespace

Reply& Reply::append(std::string_view text) {
  text_ += text;
  return *this;
}

Reply& Reply::append(std::uint64_t number) {
  fmt::format_to(std::back_inserter(text_), "{}", number);
  return *this;
}

Reply& Reply::append_quoted(std::string_view text) {
  text_ += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') text_ += '\\';
    if (static_cast<unsigned char>(c) < 0x20) {
      fmt::format_to(std::back_inserter(text_), "\\u{:04x}", static_cast<unsigned>(c));
    } else {
      text_ += c;
    }
  }
  text_ += '"';
  return *this;
}

Reply& Reply::append_shared(ring::Slice bytes) {
  RINGWALL_CHECK(bytes.block()->lifetime() == ring::Lifetime::own);
  shared_bytes_ += bytes.size();
  shares_.push_back({text_.size(), std::move(bytes)});
  return *this;
}

void Reply::rewind(const Mark& mark) {
  RINGWALL_CHECK(mark.text_bytes <= text_.size() && mark.shares <= shares_.size());
  text_.resize(mark.text_bytes);
  shares_.resize(mark.shares);
  shared_bytes_ = mark.shared_bytes;
}

std::vector<ring::Slice> Reply::take() {
  std::vector<ring::Slice> slices;
  auto memory = std::make_unique<std::string>(std::exchange(text_, {}));
  const std::span<std::byte> text = std::as_writable_bytes(std::span(*memory));
  const ring::Slice all = connection::make_owned_slice(std::move(memory), text);
  std::size_t taken = 0;
  const auto take_text = [&](std::size_t up_to) {
    if (up_to > taken) slices.push_back(all.share(text.subspan(taken, up_to - taken)));
    taken = up_to;
  };
  for (Share& share : shares_) {
    take_text(share.at);
    slices.push_back(std::move(share.bytes));
  }
  take_text(text.size());
  shares_.clear();
  shared_bytes_ = 0;
  return slices;
}

std::string Reply::text() const {
  std::string whole;
  std::size_t taken = 0;
  for (const Share& share : shares_) {
    whole += std::string_view(text_).substr(taken, share.at - taken);
    whole += as_text(share.bytes);
    taken = share.at;
  }
  whole += std::string_view(text_).substr(taken);
  return whole;
}

}  // namespace ringwall::devnode
