#include <ringwall/tls/ticket_keys.h>

#include <algorithm>
#include <cstring>
#include <string>

#include <ringwall/check.h>

#include "library.h"

#include <wolfssl/wolfcrypt/aes.h>
#include <wolfssl/wolfcrypt/random.h>

namespace ringwall::tls {
namespace {

constexpr std::size_t nonce_bytes = 12;
constexpr std::size_t tag_bytes = 16;
constexpr std::uint32_t lifetime_max_s = 7 * 24 * 3600;
// A server name, RFC 6066; with the key's name before it.
constexpr std::size_t bound_to_bytes_max = 255;

byte* bytes(std::byte* from) { return reinterpret_cast<byte*>(from); }
const byte* bytes(const std::byte* from) { return reinterpret_cast<const byte*>(from); }

// What a ticket is bound to besides its content: the key's name, so that it can't be passed off as another's, and more.
struct Bound {
  std::array<std::byte, 16 + bound_to_bytes_max> data;
  std::size_t size;

  Bound(const std::array<std::byte, 16>& key_name, std::span<const std::byte> to) : size(key_name.size() + to.size()) {
    std::copy(key_name.begin(), key_name.end(), data.begin());
    std::copy(to.begin(), to.end(), data.begin() + key_name.size());
  }
};

template <std::size_t N>
bool is_zero_from(const std::array<std::byte, N>& field, std::size_t first) {
  return std::all_of(field.begin() + first, field.end(), [](std::byte b) { return b == std::byte{0}; });
}

// wolfCrypt's AES with the key set, wiped at the end.
class Cipher {
 public:
  explicit Cipher(const std::array<std::byte, 32>& secret) {
    ready_ = wc_AesInit(&aes_, nullptr, INVALID_DEVID) == 0 &&
             wc_AesGcmSetKey(&aes_, bytes(secret.data()), static_cast<word32>(secret.size())) == 0;
  }
  ~Cipher() {
    wc_AesFree(&aes_);
    explicit_bzero(&aes_, sizeof aes_);
  }
  Cipher(const Cipher&) = delete;
  Cipher& operator=(const Cipher&) = delete;

  [[nodiscard]] bool encrypt(std::span<std::byte> text, const Bound& bound, TicketHeader& header) {
    return ready_ && wc_AesGcmEncrypt(&aes_, bytes(text.data()), bytes(text.data()), static_cast<word32>(text.size()),
                                      bytes(header.nonce.data()), nonce_bytes, bytes(header.tag.data()), tag_bytes,
                                      bytes(bound.data.data()), static_cast<word32>(bound.size)) == 0;
  }
  [[nodiscard]] bool decrypt(std::span<std::byte> text, const Bound& bound, const TicketHeader& header) {
    return ready_ && wc_AesGcmDecrypt(&aes_, bytes(text.data()), bytes(text.data()), static_cast<word32>(text.size()),
                                      bytes(header.nonce.data()), nonce_bytes, bytes(header.tag.data()), tag_bytes,
                                      bytes(bound.data.data()), static_cast<word32>(bound.size)) == 0;
  }

 private:
  Aes aes_{};
  bool ready_ = false;
};

}  // namespace

std::string_view library_version() { return wolfSSL_lib_version(); }

Result<std::unique_ptr<TicketKeys>> TicketKeys::create(TicketTimes times, std::int64_t now_s) {
  if (!start_library()) return fail("wolfSSL can't start");
  if (times.lifetime_s == 0 || times.lifetime_s > lifetime_max_s) {
    return fail("session tickets: a lifetime of " + std::to_string(times.lifetime_s) +
                " s; right is 1 to 604800 (7 days)");
  }
  if (times.rotation_s == 0 || times.lifetime_s / times.rotation_s + 2 > keys_max) {
    return fail("session tickets: a new key every " + std::to_string(times.rotation_s) + " s; right is at least " +
                std::to_string(times.lifetime_s / (keys_max - 2) + 1) + " s for a lifetime of " +
                std::to_string(times.lifetime_s) + " s");
  }
  std::unique_ptr<TicketKeys> keys(new TicketKeys(times));
  if (!make(keys->keys_[0], now_s)) return fail("session tickets: no random bytes for a key");
  keys->count_ = 1;
  return keys;
}

TicketKeys::~TicketKeys() {
  for (Key& key : keys_) forget(key);
}

bool TicketKeys::make(Key& key, std::int64_t now_s) {
  WC_RNG rng;
  if (wc_InitRng(&rng) != 0) return false;
  key = Key{};
  const auto fill = [&](auto& field) {
    return wc_RNG_GenerateBlock(&rng, bytes(field.data()), static_cast<word32>(field.size())) == 0;
  };
  const bool made = fill(key.name) && fill(key.secret) && fill(key.nonce_prefix);
  wc_FreeRng(&rng);
  key.made_s = now_s;
  return made;
}

void TicketKeys::forget(Key& key) { explicit_bzero(&key, sizeof key); }

void TicketKeys::rotate(std::int64_t now_s) {
  const std::lock_guard lock(mutex_);
  if (now_s - keys_[0].made_s >= times_.rotation_s) {
    Key fresh;
    // Without entropy the present key goes on: worse than a new one, better than no service.
    if (make(fresh, now_s)) {
      if (count_ == keys_max) forget(keys_[--count_]);
      std::copy_backward(keys_.begin(), keys_.begin() + count_, keys_.begin() + count_ + 1);
      keys_[0] = fresh;
      ++count_;
    }
    forget(fresh);
  }
  // The last ticket of a key is as old as the key that came after it.
  while (count_ > 1 && now_s - keys_[count_ - 2].made_s >= times_.lifetime_s) forget(keys_[--count_]);
}

std::size_t TicketKeys::key_count() const {
  const std::lock_guard lock(mutex_);
  return count_;
}

std::size_t TicketKeys::copy_to(std::span<TicketKeyCopy, keys_max> copies) const {
  const std::lock_guard lock(mutex_);
  std::ranges::transform(std::span(keys_).first(count_), copies.begin(), [](const Key& key) {
    return TicketKeyCopy{key.name, key.secret, key.made_s, key.ticket_bytes};
  });
  return count_;
}

void TicketKeys::adopt(std::span<const TicketKeyCopy> copies) {
  const std::lock_guard lock(mutex_);
  for (const TicketKeyCopy& copy : copies.first(std::min(copies.size(), keys_max - count_))) {
    Key& key = keys_[count_++];
    key = Key{};
    key.name = copy.name;
    key.secret = copy.secret;
    key.made_s = copy.made_s;
    key.ticket_bytes = static_cast<std::size_t>(copy.ticket_bytes);
  }
}

bool TicketKeys::seal(std::span<std::byte> ticket, std::span<const std::byte> bound_to, TicketHeader& header) {
  RINGWALL_CHECK(bound_to.size() <= bound_to_bytes_max);
  Key key;
  {
    const std::lock_guard lock(mutex_);
    ++keys_[0].sealed;
    keys_[0].ticket_bytes = ticket.size();
    key = keys_[0];
  }
  header = TicketHeader{};
  header.key_name = key.name;
  std::copy(key.nonce_prefix.begin(), key.nonce_prefix.end(), header.nonce.begin());
  std::memcpy(header.nonce.data() + key.nonce_prefix.size(), &key.sealed, sizeof key.sealed);
  const bool sealed = Cipher(key.secret).encrypt(ticket, Bound(key.name, bound_to), header);
  forget(key);
  return sealed;
}

// Under the mutex.
const TicketKeys::Key* TicketKeys::find(std::span<const std::byte, 16> key_name, std::size_t ticket_bytes) const {
  for (const Key& key : std::span(keys_).first(count_)) {
    if (std::ranges::equal(key.name, key_name)) return key.ticket_bytes == ticket_bytes ? &key : nullptr;
  }
  return nullptr;
}

bool TicketKeys::has_sealed(std::span<const std::byte, 16> key_name, std::size_t ticket_bytes) const {
  const std::lock_guard lock(mutex_);
  return find(key_name, ticket_bytes) != nullptr;
}

TicketVerdict TicketKeys::open(std::span<std::byte> ticket, std::span<const std::byte> bound_to,
                               const TicketHeader& header) const {
  RINGWALL_CHECK(bound_to.size() <= bound_to_bytes_max);
  Key key;
  bool newest = false;
  {
    const std::lock_guard lock(mutex_);
    const Key* found = find(header.key_name, ticket.size());
    if (!found) return TicketVerdict::refused;
    newest = found == keys_.data();
    key = *found;
  }
  const bool padded = is_zero_from(header.nonce, nonce_bytes) && is_zero_from(header.tag, tag_bytes);
  const bool opened = padded && Cipher(key.secret).decrypt(ticket, Bound(key.name, bound_to), header);
  forget(key);
  if (!opened) return TicketVerdict::refused;
  return newest ? TicketVerdict::accepted : TicketVerdict::renewed;
}

}  // namespace ringwall::tls
