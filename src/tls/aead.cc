#include "aead.h"

#include <cstring>

namespace ringwall::tls {

void gather(std::span<const Bytes> pieces, Bytes last, std::byte* to) {
  for (const Bytes piece : pieces) {
    if (piece.empty()) continue;
    std::memcpy(to, piece.data(), piece.size());
    to += piece.size();
  }
  if (!last.empty()) std::memcpy(to, last.data(), last.size());
}

#ifndef RINGWALL_IPSEC_MB
std::unique_ptr<Aead> make_ipsec_mb() { return nullptr; }
std::size_t ipsec_mb_bytes_max() { return 0; }
std::string_view ipsec_mb_missing() { return "wolfCrypt (built without ipsec-mb)"; }
#endif

}  // namespace ringwall::tls
