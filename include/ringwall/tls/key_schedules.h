// key_schedules.h: expanded AEAD keys, of the connections that used them last.
//
// AES-GCM needs some 1 KiB of round keys and powers of the hash key for each key: too much to keep with each idle
// connection, and not cheap enough (some hundred ns) to make for each message of connections that take turns. So a
// shard keeps the last `schedules_max`; one more takes the place of that which was made first. They are wiped when
// their owner goes or its key advances.
//
// Owner: a shard; it outlives its Records. Thread: the shard's. The library underneath is started once, by the first.
#pragma once

#include <ringwall/tls/keys.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace ringwall::tls {

class Aead;

// What computes AES-GCM here: "ipsec-mb", or "wolfCrypt" with the reason in brackets. One line for the log of a start.
[[nodiscard]] std::string_view aes_gcm_implementation();

class KeySchedules {
 public:
  using Make = std::unique_ptr<Aead> (*)();

  // Which schedule is the owner's. Each number is given once, so an owner never meets the key of another.
  class Ticket {
    friend KeySchedules;
    std::uint64_t number_ = 0;  // 0: none
  };

  static constexpr std::size_t schedules_max = 128;  // two for each of 64 connections (bench/sim)
  // Of all of them, made one by one as they are needed.
  [[nodiscard]] static std::size_t bytes_held_max();

  KeySchedules();
  // With this in particular.
  explicit KeySchedules(Make make);
  ~KeySchedules();
  KeySchedules(const KeySchedules&) = delete;
  KeySchedules& operator=(const KeySchedules&) = delete;

  // `key`, expanded, until the next call. The same key each time, unless forget() was called in between.
  [[nodiscard]] const Aead& ready(Ticket& ticket, const Key& key, Cipher cipher);

  // The key is another from here on, or it goes.
  void forget(Ticket& ticket);

 private:
  struct Schedule {
    std::unique_ptr<Aead> aead;
    std::uint64_t number = 0;  // of the ticket; 0: wiped
  };

  [[nodiscard]] Schedule& expand(Ticket& ticket, const Key& key, Cipher cipher);

  Make make_;
  std::uint64_t number_ = 0;  // the last that was given
  std::vector<Schedule> schedules_;
};

}  // namespace ringwall::tls
