#include <ringwall/log/lane.h>

#include <algorithm>
#include <cstring>

namespace ringwall::log {

namespace {

using Length = std::uint32_t;

}  // namespace

bool Lane::push(std::string_view line) {
  const std::uint64_t pushed = pushed_.load(std::memory_order_relaxed);
  const std::uint64_t held = pushed - popped_.load(std::memory_order_acquire);
  const std::size_t needed = sizeof(Length) + line.size();
  if (needed > bytes_max - held) {
    dropped_.store(dropped_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    return false;
  }
  const auto length = static_cast<Length>(line.size());
  copy_in(pushed, {reinterpret_cast<const char*>(&length), sizeof length});
  copy_in(pushed + sizeof length, line);
  pushed_.store(pushed + needed, std::memory_order_release);
  return true;
}

bool Lane::pop(std::string& out) {
  const std::uint64_t popped = popped_.load(std::memory_order_relaxed);
  if (popped == pushed_.load(std::memory_order_acquire)) return false;
  Length length = 0;
  copy_out(popped, reinterpret_cast<char*>(&length), sizeof length);
  const std::size_t before = out.size();
  out.resize(before + length);
  copy_out(popped + sizeof length, out.data() + before, length);
  popped_.store(popped + sizeof length + length, std::memory_order_release);
  return true;
}

void Lane::copy_in(std::size_t at, std::string_view bytes) {
  const std::size_t start = at % bytes_max;
  const std::size_t first = std::min(bytes.size(), bytes_max - start);
  std::memcpy(bytes_.get() + start, bytes.data(), first);
  std::memcpy(bytes_.get(), bytes.data() + first, bytes.size() - first);
}

void Lane::copy_out(std::size_t at, char* to, std::size_t bytes) const {
  const std::size_t start = at % bytes_max;
  const std::size_t first = std::min(bytes, bytes_max - start);
  std::memcpy(to, bytes_.get() + start, first);
  std::memcpy(to + first, bytes_.get(), bytes - first);
}

}  // namespace ringwall::log
