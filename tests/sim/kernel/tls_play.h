// tls_play.h: a connection whose program's end is the kernel's TLS, and a peer that makes and opens records itself.
#pragma once

#include "sim/kernel/play.h"
#include "sim/kernel/record_cipher.h"

#include <ringwall/ring/tls_control.h>

#include <linux/tls.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ringwall::sim {

constexpr std::uint8_t alert_type = 21;
constexpr std::uint8_t handshake_type = 22;
constexpr std::uint8_t data_type = 23;
constexpr std::string_view close_notify{"\1\0", 2};
constexpr std::string_view key_update{"\x18\0\0\1\0", 5};  // update_not_requested

// Every byte of key and iv is `seed`, so that two seeds are two keys.
inline std::vector<std::byte> crypto_info(std::uint8_t seed, std::uint16_t version = TLS_1_3_VERSION,
                                          std::uint16_t cipher_type = TLS_CIPHER_AES_GCM_128) {
  const std::size_t bytes = cipher_type == TLS_CIPHER_AES_GCM_128 ? sizeof(tls12_crypto_info_aes_gcm_128)
                                                                  : sizeof(tls12_crypto_info_aes_gcm_256);
  std::vector<std::byte> info(bytes, std::byte{seed});
  const tls_crypto_info names{.version = version, .cipher_type = cipher_type};
  std::memcpy(info.data(), &names, sizeof names);
  std::memset(info.data() + bytes - 8, 0, 8);
  return info;
}

inline std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

struct TlsPair : Pair {
  static constexpr std::uint8_t send_seed = 0x51;  // of the program's end
  static constexpr std::uint8_t receive_seed = 0x72;

  explicit TlsPair(Stage& stage_in, std::uint16_t version = TLS_1_3_VERSION,
                   std::uint16_t cipher_type = TLS_CIPHER_AES_GCM_128)
      : Pair(stage_in),
        stage(stage_in),
        sealer(*RecordCipher::from(crypto_info(receive_seed, version, cipher_type))),
        opener(*RecordCipher::from(crypto_info(send_seed, version, cipher_type))) {
    RINGWALL_CHECK(stage.ring().backend().attach_tls(socket) == 0);
    RINGWALL_CHECK(set_key(ring::TlsDirection::send, crypto_info(send_seed, version, cipher_type)) == 0);
    RINGWALL_CHECK(set_key(ring::TlsDirection::receive, crypto_info(receive_seed, version, cipher_type)) == 0);
  }

  [[nodiscard]] int set_key(ring::TlsDirection direction, const std::vector<std::byte>& info) const {
    return stage.ring().backend().set_tls_key(socket, direction, info);
  }

  [[nodiscard]] std::string record(std::uint8_t type, std::string_view content) {
    const std::vector<std::byte> sealed = sealer.seal(type, bytes_of(content));
    return {reinterpret_cast<const char*>(sealed.data()), sealed.size()};
  }
  void say(std::uint8_t type, std::string_view content) { peer->send(record(type, content)); }

  // "22 of 5" for each record that the peer has got since the last time, and "part" for what is left.
  Story hear() {
    Story story;
    const std::string heard = peer->heard();
    while (heard.size() - opened >= RecordCipher::header_bytes) {
      const auto* const header = reinterpret_cast<const unsigned char*>(heard.data() + opened);
      const std::size_t bytes = RecordCipher::header_bytes + (header[3] << 8 | header[4]);
      if (heard.size() - opened < bytes) break;
      const auto record = opener.open(bytes_of(heard).subspan(opened, bytes));
      opened += bytes;
      if (!record) return story.push_back("not authentic"), story;
      story.push_back(std::to_string(record->type) + " of " + std::to_string(record->bytes.size()));
      text.append(reinterpret_cast<const char*>(record->bytes.data()), record->bytes.size());
    }
    if (opened < heard.size()) story.push_back("part");
    return story;
  }

  Stage& stage;
  RecordCipher sealer;  // the peer's
  RecordCipher opener;
  std::size_t opened = 0;
  std::string text;
};

// A receive that asks for the record's type.
class TypedReceive {
 public:
  TypedReceive(Stage& stage, int socket, std::size_t bytes) : probe_(stage, "typed"), into_(bytes) {
    message_.prepare_receive(probe_.prepare(), socket, into_);
    stage.settle();
  }
  // "typed 22 of 5, ended", or what Probe tells.
  [[nodiscard]] Story told() const {
    if (probe_.is_waiting()) return {"typed waits"};
    if (probe_.result() < 0) return sim::told(probe_);
    const auto type = message_.record_type();
    return {"typed " + (type ? std::to_string(*type) : "none") + " of " + std::to_string(probe_.result()) +
            (message_.ended_record() ? ", ended" : "")};
  }

 private:
  Probe probe_;
  std::vector<std::byte> into_;
  ring::TlsControlMessage message_;
};

inline void append(Story& story, const Story& more) { story.insert(story.end(), more.begin(), more.end()); }

}  // namespace ringwall::sim
