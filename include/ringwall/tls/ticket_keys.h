// ticket_keys.h: the keys that session tickets are sealed with, shared by all shards.
//
// A ticket carries the session's secret, sealed with AES-256-GCM; the server keeps nothing. So a ticket issued on one
// shard resumes on every other, and forgetting a key ends every ticket made with it (RFC 5077, RFC 8446 section 4.6.1).
// One key seals at a time; rotate() replaces it every `rotation_s`, and keeps the old ones to open tickets until none
// of them can still be within its lifetime. Keys live in this process and in the one that takes over from it: any other
// restart costs the clients a full handshake.
//
// Owner: the server, outliving every Context. Threads: any; the mutex covers the copy of one key, not the sealing.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string_view>

#include <ringwall/error.h>

namespace ringwall::tls {

struct TicketTimes {
  std::uint32_t lifetime_s = 4 * 3600;  // what the client is told; at most 7 days (RFC 8446 section 4.6.1)
  std::uint32_t rotation_s = 3600;      // age at which the sealing key is replaced
};

// The fields of fixed size that wolfSSL puts before a ticket. `nonce` uses its first 12 bytes and `tag` its first 16;
// the rest is zero, and checked.
struct TicketHeader {
  std::array<std::byte, 16> key_name{};
  std::array<std::byte, 16> nonce{};
  std::array<std::byte, 32> tag{};
};

// What opens the tickets of a key, for another process (server/upgrade.h): without what sealing takes, since two that
// seal with one key would use a nonce twice. A secret: whoever holds it wipes it.
struct TicketKeyCopy {
  std::array<std::byte, 16> name;
  std::array<std::byte, 32> secret;
  std::int64_t made_s;
  std::uint64_t ticket_bytes;
};
static_assert(sizeof(TicketKeyCopy) == 64);

// Of the TLS library, which gives tickets their form.
[[nodiscard]] std::string_view library_version();

enum class TicketVerdict : std::uint8_t {
  refused,   // unknown or expired key, or the bytes were changed: do a full handshake
  accepted,  // opened with the sealing key
  renewed,   // opened with an older key: accept it and issue a new one
};

class TicketKeys {
 public:
  // Keys kept at once. `lifetime_s / rotation_s + 2` may not exceed it.
  static constexpr std::size_t keys_max = 64;

  // `now_s` is in seconds of any clock that does not go back; the same clock must be given to rotate().
  // Errors: times that make no sense, no entropy.
  [[nodiscard]] static Result<std::unique_ptr<TicketKeys>> create(TicketTimes times, std::int64_t now_s);
  ~TicketKeys();
  TicketKeys(const TicketKeys&) = delete;
  TicketKeys& operator=(const TicketKeys&) = delete;

  // Makes a new sealing key when the present one is `rotation_s` old, and forgets those that no live ticket can need.
  // Cheap when there is nothing to do; every shard may call it. Call it at least once per `rotation_s`.
  void rotate(std::int64_t now_s);

  [[nodiscard]] std::uint32_t lifetime_s() const { return times_.lifetime_s; }
  [[nodiscard]] std::size_t key_count() const;

  // The newest first; how many there are.
  [[nodiscard]] std::size_t copy_to(std::span<TicketKeyCopy, keys_max> copies) const;
  // Keys of another process, the newest first, on the same clock: they open, and never seal.
  void adopt(std::span<const TicketKeyCopy> copies);

  // Seals `ticket` in place. A ticket opens only with the same `bound_to` (the server name: RFC 6066 section 3 forbids
  // resuming under another). False when wolfCrypt fails: then issue none.
  [[nodiscard]] bool seal(std::span<std::byte> ticket, std::span<const std::byte> bound_to, TicketHeader& header);
  // Whether a ticket of this key and size was ever sealed here. To be asked before a ticket's bytes are touched:
  // wolfSSL takes the size from the ticket itself and does not check it against the bytes that came.
  [[nodiscard]] bool has_sealed(std::span<const std::byte, 16> key_name, std::size_t ticket_bytes) const;
  // Opens `ticket` in place; its bytes are undefined when refused.
  [[nodiscard]] TicketVerdict open(std::span<std::byte> ticket, std::span<const std::byte> bound_to,
                                   const TicketHeader& header) const;

 private:
  struct Key {
    std::array<std::byte, 16> name{};
    std::array<std::byte, 32> secret{};
    std::array<std::byte, 4> nonce_prefix{};
    std::uint64_t sealed = 0;  // tickets made with it: the other 8 bytes of the nonce, so no nonce repeats
    std::int64_t made_s = 0;
    std::size_t ticket_bytes = 0;  // of the tickets that it sealed
  };

  explicit TicketKeys(TicketTimes times) : times_(times) {}
  [[nodiscard]] static bool make(Key& key, std::int64_t now_s);
  static void forget(Key& key);
  [[nodiscard]] const Key* find(std::span<const std::byte, 16> key_name, std::size_t ticket_bytes) const;

  const TicketTimes times_;
  mutable std::mutex mutex_;
  std::array<Key, keys_max> keys_;  // [0] seals; newest first
  std::size_t count_ = 0;
};

}  // namespace ringwall::tls
