#include "devnode/chain.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "devnode/hex.h"
#include "devnode/scale.h"

namespace ringwall::devnode {

namespace {

// The root of a trie with nothing in it: BLAKE2b-256 of a single zero byte.
Hash empty_trie_root() {
  const std::byte zero{};
  return blake2b_256({&zero, 1});
}

Hash made_up_state_root(std::uint32_t number) {
  const std::string text = fmt::format("ringwall-devnode has no state; block {}", number);
  return blake2b_256(std::as_bytes(std::span(text)));
}

Header header_after(const Hash& parent, std::uint32_t number) {
  return {parent, number, made_up_state_root(number), empty_trie_root()};
}

}  // namespace

Hash Header::hash() const {
  std::vector<std::byte> scale(parent.begin(), parent.end());
  append_compact(scale, number);
  scale.insert(scale.end(), state_root.begin(), state_root.end());
  scale.insert(scale.end(), extrinsics_root.begin(), extrinsics_root.end());
  append_compact(scale, 0);  // logs in the digest
  return blake2b_256(scale);
}

std::string Header::to_json() const {
  return fmt::format(
      R"({{"parentHash":"{}","number":"{:#x}","stateRoot":"{}","extrinsicsRoot":"{}","digest":{{"logs":[]}}}})",
      to_hex(parent), number, to_hex(state_root), to_hex(extrinsics_root));
}

Chain::Chain(std::uint32_t finality_lag) : finality_lag_(finality_lag) {
  genesis_.header = header_after({}, 0);
  genesis_.hash = genesis_.header.hash();
  numbers_.emplace(genesis_.hash, 0);
}

void Chain::advance() {
  const Hash& parent = blocks_.empty() ? genesis_.hash : blocks_.back().hash;
  Block block{header_after(parent, best_ + 1), {}};
  block.hash = block.header.hash();
  numbers_.emplace(block.hash, ++best_);
  blocks_.push_back(block);
  if (blocks_.size() > blocks_kept_max) {
    numbers_.erase(blocks_.front().hash);
    blocks_.pop_front();
  }
}

const Chain::Block* Chain::find(std::uint32_t number) const {
  if (number == 0) return &genesis_;
  if (number > best_ || best_ - number >= blocks_.size()) return nullptr;
  return &blocks_[blocks_.size() - 1 - (best_ - number)];
}

const Header* Chain::header(std::uint32_t number) const {
  const Block* block = find(number);
  return block == nullptr ? nullptr : &block->header;
}

std::optional<Hash> Chain::hash(std::uint32_t number) const {
  const Block* block = find(number);
  return block == nullptr ? std::nullopt : std::optional(block->hash);
}

std::optional<std::uint32_t> Chain::number(const Hash& hash) const {
  const auto found = numbers_.find(hash);
  return found == numbers_.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace ringwall::devnode
