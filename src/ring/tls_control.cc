#include <ringwall/ring/tls_control.h>

#include <ringwall/check.h>

#include <linux/tls.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <cerrno>
#include <string_view>

namespace ringwall::ring {

int attach_kernel_tls(int socket) {
  constexpr std::string_view name = "tls";
  return setsockopt(socket, IPPROTO_TCP, TCP_ULP, name.data(), name.size()) == 0 ? 0 : -errno;
}

int set_kernel_tls_key(int socket, TlsDirection direction, std::span<const std::byte> crypto_info) {
  const int option = direction == TlsDirection::send ? TLS_TX : TLS_RX;
  const int result =
      setsockopt(socket, SOL_TLS, option, crypto_info.data(), static_cast<socklen_t>(crypto_info.size()));
  return result == 0 ? 0 : -errno;
}

void TlsControlMessage::point_to(const std::byte* bytes, std::size_t count) {
  // An iovec knows no const; what is sent is only read.
  part_ = {.iov_base = const_cast<std::byte*>(bytes),  // NOLINT(cppcoreguidelines-pro-type-const-cast)
           .iov_len = count};
  control_ = {};
  header_ = {};
  header_.msg_iov = &part_;
  header_.msg_iovlen = 1;
  header_.msg_control = control_.data();
  header_.msg_controllen = control_.size();
}

void TlsControlMessage::prepare_send(io_uring_sqe& entry, int socket, std::uint8_t record_type,
                                     std::span<const std::byte> bytes) {
  RINGWALL_CHECK(!bytes.empty() && bytes.size() <= 16 * 1024);
  point_to(bytes.data(), bytes.size());
  cmsghdr* const control = CMSG_FIRSTHDR(&header_);
  control->cmsg_level = SOL_TLS;
  control->cmsg_type = TLS_SET_RECORD_TYPE;
  control->cmsg_len = CMSG_LEN(sizeof record_type);
  *CMSG_DATA(control) = record_type;
  header_.msg_controllen = control->cmsg_len;
  io_uring_prep_sendmsg(&entry, socket, &header_, MSG_NOSIGNAL);
}

void TlsControlMessage::prepare_receive(io_uring_sqe& entry, int socket, std::span<std::byte> into) {
  RINGWALL_CHECK(!into.empty());
  point_to(into.data(), into.size());
  io_uring_prep_recvmsg(&entry, socket, &header_, 0);
}

std::optional<std::uint8_t> TlsControlMessage::record_type() const {
  const cmsghdr* const control = CMSG_FIRSTHDR(&header_);
  if (control == nullptr || control->cmsg_level != SOL_TLS || control->cmsg_type != TLS_GET_RECORD_TYPE) {
    return std::nullopt;
  }
  return *CMSG_DATA(control);
}

}  // namespace ringwall::ring
