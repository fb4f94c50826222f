// tls_control.h: a message to or from the kernel's record layer with the record's type beside its bytes.
//
// Plain sends and receives are of application data; anything else (an alert, a handshake message) must be said by
// sendmsg with TLS_SET_RECORD_TYPE, and is only given out to a recvmsg that has room for TLS_GET_RECORD_TYPE: any other
// receive ends with -EIO before it. The bytes are the caller's, who keeps them, and this object, until the operation
// has ended; so it is a member of the operation's owner. One operation at a time. Thread: the shard's. Source:
// Documentation/networking/tls.rst, linux/tls.h, cmsg(3).
#pragma once

#include <liburing.h>
#include <ringwall/ring/backend.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace ringwall::ring {

// What Backend's calls of these names are on Linux: 0 or a negative errno.
[[nodiscard]] int attach_kernel_tls(int socket);
[[nodiscard]] int set_kernel_tls_key(int socket, TlsDirection direction, std::span<const std::byte> crypto_info);

class TlsControlMessage {
 public:
  TlsControlMessage() = default;
  TlsControlMessage(const TlsControlMessage&) = delete;
  TlsControlMessage& operator=(const TlsControlMessage&) = delete;

  // One record of `record_type` (linux/tls.h counts as RFC 8446 section 5.1 does), of at most 16 KiB.
  void prepare_send(io_uring_sqe& entry, int socket, std::uint8_t record_type, std::span<const std::byte> bytes);

  // The rest of the record at the front, at most, whatever its type; several of application data may be joined.
  void prepare_receive(io_uring_sqe& entry, int socket, std::span<std::byte> into);

  // Of a receive that has ended with 0 bytes or more. Nothing: it came from no record, at the end of the stream.
  [[nodiscard]] std::optional<std::uint8_t> record_type() const;
  // Of the same, of a record that is not application data: its last byte was among them.
  [[nodiscard]] bool ended_record() const { return (header_.msg_flags & MSG_EOR) != 0; }

 private:
  void point_to(const std::byte* bytes, std::size_t count);

  msghdr header_{};
  iovec part_{};
  alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(sizeof(std::uint8_t))> control_{};
};

}  // namespace ringwall::ring
