// key_schedules.h: expanded AEAD keys, of the connections that used them last.
//
// AES-GCM needs some 1 KiB of round keys and powers of the hash key for each key: too much to keep with each idle
// connection, cheap to make (some hundred ns) when a burst begins. So a shard has two: one to open with, one to seal.
// Both are wiped when their connection goes or its key advances.
//
// Owner: a shard; it outlives its Records. Thread: the shard's. The library underneath is started once, by the first.
#pragma once

#include <ringwall/tls/keys.h>

#include <cstdint>
#include <memory>
#include <string_view>

namespace ringwall::tls {

class Aead;

// What computes AES-GCM here: "ipsec-mb", or "wolfCrypt" with the reason in brackets. One line for the log of a start.
[[nodiscard]] std::string_view aes_gcm_implementation();

class KeySchedules {
 public:
  KeySchedules();
  // With these in particular. Of one kind each.
  KeySchedules(std::unique_ptr<Aead> opening, std::unique_ptr<Aead> sealing);
  ~KeySchedules();
  KeySchedules(const KeySchedules&) = delete;
  KeySchedules& operator=(const KeySchedules&) = delete;

  // Expanded for `owner` until the next call for another. `owner` is told apart by its address only.
  [[nodiscard]] const Aead& opening(const void* owner, const Key& key, Cipher cipher);
  [[nodiscard]] const Aead& sealing(const void* owner, const Key& key, Cipher cipher);

  // The key of `owner` is another from here on, or it goes.
  void forget_opening(const void* owner);
  void forget_sealing(const void* owner);

 private:
  struct Slot {
    std::unique_ptr<Aead> aead;
    const void* owner = nullptr;

    [[nodiscard]] const Aead& ready(const void* wanted, const Key& key, Cipher cipher);
    void forget(const void* wanted);
  };

  Slot opening_, sealing_;
};

}  // namespace ringwall::tls
