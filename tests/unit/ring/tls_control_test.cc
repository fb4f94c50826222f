// A message with a record's type beside it, as the kernel finds it and as it leaves it. No TLS is needed for that.
#include <ringwall/ring/tls_control.h>

#include "unit/catch.h"

#include <linux/tls.h>

#include <cstring>
#include <string_view>

namespace ringwall::ring {
namespace {

msghdr& header_of(const io_uring_sqe& entry) {
  return *reinterpret_cast<msghdr*>(static_cast<std::uintptr_t>(entry.addr));
}

// As the kernel writes its answer into the header of a receive.
void answer(const io_uring_sqe& entry, int level, int type, std::uint8_t record_type, int flags) {
  msghdr& header = header_of(entry);
  cmsghdr control{.cmsg_len = CMSG_LEN(1), .cmsg_level = level, .cmsg_type = type};
  REQUIRE(header.msg_controllen >= CMSG_SPACE(1));
  std::memcpy(header.msg_control, &control, sizeof control);
  static_cast<std::uint8_t*>(header.msg_control)[CMSG_LEN(0)] = record_type;
  header.msg_controllen = CMSG_SPACE(1);
  header.msg_flags = flags;
}

}  // namespace

TEST_CASE("an alert is sent as one part, with its record's type in the control data") {
  constexpr std::array alert{std::byte{1}, std::byte{0}};
  TlsControlMessage message;
  io_uring_sqe entry{};
  message.prepare_send(entry, 7, 21, alert);
  CHECK(entry.opcode == IORING_OP_SENDMSG);
  CHECK(entry.fd == 7);
  CHECK(entry.msg_flags == MSG_NOSIGNAL);
  msghdr& header = header_of(entry);
  REQUIRE(header.msg_iovlen == 1);
  CHECK(header.msg_iov->iov_base == alert.data());
  CHECK(header.msg_iov->iov_len == alert.size());
  CHECK(header.msg_name == nullptr);
  const cmsghdr* const control = CMSG_FIRSTHDR(&header);
  REQUIRE(control != nullptr);
  CHECK(control->cmsg_level == SOL_TLS);
  CHECK(control->cmsg_type == TLS_SET_RECORD_TYPE);
  CHECK(control->cmsg_len == CMSG_LEN(1));
  CHECK(*CMSG_DATA(control) == 21);
  CHECK(CMSG_NXTHDR(&header, const_cast<cmsghdr*>(control)) == nullptr);
}

TEST_CASE("a receive has room for a record's type, and tells what the kernel put there") {
  std::array<std::byte, 16> into{};
  TlsControlMessage message;
  io_uring_sqe entry{};
  message.prepare_receive(entry, 7, into);
  CHECK(entry.opcode == IORING_OP_RECVMSG);
  CHECK(header_of(entry).msg_iov->iov_base == into.data());
  CHECK(header_of(entry).msg_iov->iov_len == into.size());
  CHECK(header_of(entry).msg_controllen >= CMSG_SPACE(1));
  answer(entry, SOL_TLS, TLS_GET_RECORD_TYPE, 22, MSG_EOR);
  CHECK(message.record_type() == 22);
  CHECK(message.ended_record());
}

TEST_CASE("a receive without a record, or with other control data, has no type") {
  std::array<std::byte, 16> into{};
  TlsControlMessage message;
  io_uring_sqe entry{};
  message.prepare_receive(entry, 7, into);
  answer(entry, SOL_SOCKET, SCM_RIGHTS, 22, 0);
  CHECK_FALSE(message.record_type());
  CHECK_FALSE(message.ended_record());
  header_of(entry).msg_controllen = 0;
  CHECK_FALSE(message.record_type());
}

TEST_CASE("a message that is used again forgets what it was") {
  std::array<std::byte, 16> into{};
  TlsControlMessage message;
  io_uring_sqe entry{};
  message.prepare_receive(entry, 7, into);
  answer(entry, SOL_TLS, TLS_GET_RECORD_TYPE, 22, MSG_EOR);
  message.prepare_receive(entry, 7, into);
  CHECK_FALSE(message.record_type());
  CHECK_FALSE(message.ended_record());
  CHECK(header_of(entry).msg_controllen >= CMSG_SPACE(1));
}

}  // namespace ringwall::ring
