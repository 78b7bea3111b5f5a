#include "runtime/base/units.hpp"
#include "tools/qnfv/bench_actors.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <memory>
#include <thread>

namespace qnfv {

namespace {

using boost::asio::ip::tcp;
constexpr size_t block = 1u << 20;

struct open_file {
  int fd;
  explicit open_file(int x) : fd(x) {}
  ~open_file() {
    if (fd >= 0)
      ::close(fd);
  }
};

[[noreturn]] void fail_file(const std::string& path) {
  throw command_error{{ec::storage_failed, path + ": " + std::strerror(errno)}};
}

/// The reading end: from the socket to a new file, durable at the end.
void receive_file(tcp::acceptor& door, const std::string& to, failure& why) {
  boost::system::error_code error;
  tcp::socket socket{door.get_executor()};
  door.accept(socket, error);
  open_file out{::open(to.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)};
  std::vector<char> buffer(block);
  while (!error && out.fd >= 0) {
    auto n = socket.read_some(boost::asio::buffer(buffer), error);
    for (size_t put = 0; put < n;) {
      auto k = ::write(out.fd, buffer.data() + put, n - put);
      if (k <= 0) {
        why = {ec::storage_failed, to + ": " + std::strerror(errno)};
        return;
      }
      put += static_cast<size_t>(k);
    }
  }
  if (out.fd < 0 || ::fdatasync(out.fd) != 0)
    why = {ec::storage_failed, to + ": " + std::strerror(errno)};
  else if (error != boost::asio::error::eof)
    why = {ec::channel_failed, error.message()};
}

/// Seconds to copy a file to another through a plain TCP socket on loopback, in blocks of 1 MiB:
/// the paper's "Socket" row (Fig. 11), and the peer of our own transfer.
double plain_socket_s(const std::string& from, const std::string& to) {
  open_file in{::open(from.c_str(), O_RDONLY | O_CLOEXEC)};
  if (in.fd < 0)
    fail_file(from);
  boost::asio::io_context io;
  tcp::acceptor door{io, tcp::endpoint{boost::asio::ip::address_v4::loopback(), 0}};
  auto began = std::chrono::steady_clock::now();
  failure why{ec::none, {}};
  std::thread reader{[&] { receive_file(door, to, why); }};
  boost::system::error_code error;
  tcp::socket socket{io};
  socket.connect(door.local_endpoint(), error);
  std::vector<char> buffer(block);
  for (ssize_t n; !error && (n = ::read(in.fd, buffer.data(), buffer.size())) > 0;)
    boost::asio::write(socket, boost::asio::buffer(buffer.data(), static_cast<size_t>(n)), error);
  socket.close();
  reader.join();
  if (why.code != ec::none)
    throw command_error{why};
  if (error)
    throw command_error{{ec::channel_failed, error.message()}};
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
}

} // namespace

void add_bench_commands(CLI::App& app, command_settings& settings) {
  struct choice {
    std::string from;
    std::string to;
  };
  auto x = std::make_shared<choice>();
  auto* bench = app.add_subcommand("bench", "Measure against a peer in the same run");
  bench->require_subcommand(1);
  add_bench_relay(*bench, settings);
  add_bench_schedule(*bench, settings);
  add_bench_actors(*bench, settings);
  auto* socket = bench->add_subcommand("socket", "Copy a file through a plain TCP socket on loopback");
  socket->add_option("file", x->from, "File to copy")->required();
  socket->add_option("--out", x->to, "Where the copy goes")->required();
  socket->footer("Example:  qnfv bench socket disk.img --out /tmp/copy.img");
  socket->callback([x, &settings] {
    auto seconds = plain_socket_s(x->from, x->to);
    struct ::stat info;
    if (::stat(x->to.c_str(), &info) != 0)
      fail_file(x->to);
    auto mb = static_cast<double>(info.st_size) / 1e6;
    std::printf(settings.json ? "{\"size_mb\":%.1f,\"seconds\":%.3f,\"mb_per_s\":%.1f}\n"
                              : "%.1f MB in %.3f s: %.1f MB/s\n",
                mb, seconds, mb / seconds);
  });
  add_bench_keys_command(*bench, settings);
}

} // namespace qnfv
