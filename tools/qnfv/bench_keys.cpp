// `qnfv bench keys`: what a pair of key servers delivers, beside a server that always gives the
// same answer and the bare sync rate of the disk.

#include "actors/key_pool/journal_store.hpp"
#include "drivers/http/server.hpp"
#include "runtime/system/io.hpp"
#include "runtime/tls/pki.hpp"
#include "tools/face/table.hpp"
#include "tools/qnfv/commands.hpp"
#include "tools/qnfv/compose.hpp"
#include "tools/qnfv/key_files.hpp"
#include "tools/qnfv/key_load.hpp"
#include "tools/qnfv/lab_dir.hpp"
#include "tools/qnfv/spawn.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

namespace qnfv {

namespace {

using namespace std::chrono;
using namespace std::chrono_literals;

struct choice {
  std::string clients = "1,16";
  double seconds = 5;
  uint32_t wire_bytes = limits_config{}.trace_wire_bytes;
  std::string dir;
  bool keep = false;
};

/// What the servers can hardly do: enough keys for that rate are made beforehand.
constexpr double pairs_per_s_max = 15000;
constexpr uint32_t keys_max = 900000;

// -- processes
// -------------------------------------------------------------------------------------

/// This program again.
pid_t start(std::vector<std::string> words, const std::string& log) {
  process_start x;
  x.program = "/proc/self/exe";
  x.words = std::move(words);
  x.log = log;
  auto pid = start_process(x);
  if (!pid)
    throw command_error{{ec::internal, "cannot start a process: " + pid.error().text}};
  return *pid;
}

void run_to_end(std::vector<std::string> words, const std::string& log) {
  int status = 0;
  if (::waitpid(start(std::move(words), log), &status, 0) < 0 || status != 0)
    throw command_error{{ec::internal, last_line_of(log)}};
}

/// User and system time, of all threads. See proc(5), /proc/PID/stat.
double cpu_s(const std::vector<pid_t>& processes) {
  double ticks = 0;
  for (auto pid : processes) {
    std::ifstream in{"/proc/" + std::to_string(pid) + "/stat"};
    std::string text((std::istreambuf_iterator<char>(in)), {});
    std::istringstream fields{text.substr(std::min(text.size(), text.rfind(')') + 2))};
    std::string skipped;
    for (int i = 0; i < 11; ++i)
      fields >> skipped;
    double user = 0, system = 0;
    fields >> user >> system;
    ticks += user + system;
  }
  return ticks / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

/// Free right now; below the range from which outgoing connections get theirs.
std::string free_address(std::set<uint16_t>& taken) {
  auto random = make_system_random();
  for (int i = 0; i < 1000; ++i) {
    auto port = static_cast<uint16_t>(20000 + random->next() % 10000);
    if (!taken.insert(port).second)
      continue;
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_port = htons(port);
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    auto free = ::bind(fd, reinterpret_cast<sockaddr*>(&where), sizeof where) == 0;
    ::close(fd);
    if (free)
      return "127.0.0.1:" + std::to_string(port);
  }
  throw command_error{{ec::site_unreachable, "no free port"}};
}

// -- the lab
// ---------------------------------------------------------------------------------------

topology make_topology(uint32_t keys, uint32_t wire_bytes) {
  std::set<uint16_t> ports;
  topology out;
  out.name = "bench";
  for (auto* name : {"co", "dc1"}) {
    site_config site;
    site.site = site_id{name};
    site.listen = free_address(ports);
    site.data_listen = free_address(ports);
    site.key_server.etsi014.emplace().listen = free_address(ports);
    out.sites.push_back(site);
    out.applications.push_back({"app-" + site.site.value, site.site, "app-" + site.site.value});
  }
  out.sites[0].orchestrator = true;
  out.sites[0].devices = {{device_id{"bob1"}, link_end::bob}};
  out.sites[1].devices = {{device_id{"alice1"}, link_end::alice}};
  out.sites[1].vims = {{"disk", "vim_emulator"}};
  link_config link;
  link.link = link_id{"bob1/alice1"};
  link.bob = device_id{"bob1"};
  link.alice = device_id{"alice1"};
  link.length_km = 5;
  out.links.push_back(link);
  out.limits.pool_keys_max = keys;
  out.limits.trace_wire_bytes = wire_bytes;
  return out;
}

/// Both ends' journals, with `count` keys that were confirmed. The devices are as slow as life, so
/// they make none while we measure.
void fill_pools(const lab_dir& lab, const topology& network, uint32_t count) {
  auto random = make_system_random();
  bytes bits(size_t{count} * key_bytes);
  random->fill(bits.data(), bits.size());
  done_or_throw(make_folder(lab.secrets()));
  for (auto& site : network.sites) {
    done_or_throw(make_folder(lab.state(site.site)));
    done_or_throw(make_seal_key(lab.seal(site.site)));
    auto files = value_or_throw(make_disk_storage(lab.state(site.site)));
    journal_settings settings;
    settings.link = network.links[0].link;
    settings.end = site.orchestrator ? link_end::bob : link_end::alice;
    settings.seal_key = value_or_throw(load_seal_key(lab.seal(site.site)));
    settings.segments = journal_segments(network.limits);
    auto at_once = [](const std::function<void()>& work) { work(); };
    auto store = value_or_throw(open_journal_store(
        settings, {files, random, make_real_clock(),
                   value_or_throw(audit_trail::open(files, "audit")), at_once, at_once}));
    store->recall();
    for (uint32_t i = 0; i < count; ++i) {
      key_record key;
      key.id = make_key_id(settings.link, 1, link_end::bob, i);
      key.state = key_state::stored;
      done_or_throw(store->put_key(key, byte_view{bits}.part(i * key_bytes, key_bytes)));
      key.state = key_state::ready;
      store->put_state(key, key_event::confirm, {});
      if (i % 4096 == 0 || i + 1 == count)
        store->commit([](const status& ok) { done_or_throw(ok); });
    }
  }
}

/// Two site processes, and a third one that always gives the same answer.
class bench_lab {
public:
  explicit bench_lab(const choice& x, uint32_t keys) : keep_(x.keep) {
    lab_.path =
        x.dir.empty() ? home_of_labs() + "/bench-keys-" + std::to_string(::getpid()) : x.dir;
    if (std::filesystem::exists(lab_.path))
      throw command_error{{ec::already_exists, lab_.path + " exists already"}};
    try {
      done_or_throw(make_folder(lab_.path));
      network_ = make_topology(keys, x.wire_bytes);
      fill_pools(lab_, network_, keys);
      auto files = value_or_throw(make_disk_storage(lab_.path));
      auto text = topology_to_json(network_);
      done_or_throw(files->replace("bench.json", byte_view{std::string_view{text}}));
      // A home of its own: the lab that the user's commands mean stays what it was.
      ::setenv("QNFV_HOME", lab_.path.c_str(), 1);
      run_to_end({"qnfv", "lab", "up", lab_.path + "/bench.json", "--dir", lab_.path}, log());
      for (auto& site : network_.sites)
        sites_.push_back(value_or_throw(pid_of(site.site)));
      std::set<uint16_t> ports;
      fixed_address_ = free_address(ports);
      fixed_ = start({"qnfv", "bench", "fixed-answer", "--listen", fixed_address_, "--pki",
                      lab_.pki(), "--name", "co"},
                     log());
    } catch (...) {
      end();
      throw;
    }
  }

  ~bench_lab() { end(); }

  load_settings keys() const {
    load_settings out;
    out.first = server(0, "app-co", "/api/v1/keys/app-dc1/enc_keys");
    out.second = server(1, "app-dc1", "/api/v1/keys/app-co/dec_keys?key_ID=");
    out.server_cpu_s = [sites = sites_] { return cpu_s(sites); };
    return out;
  }

  load_settings fixed() const {
    load_settings out;
    out.fixed = true;
    out.first = server(0, "app-co", "/");
    out.first.address = fixed_address_;
    out.second = out.first;
    out.server_cpu_s = [fixed = fixed_] { return cpu_s({fixed}); };
    return out;
  }

  const std::string& path() const { return lab_.path; }

private:
  std::string log() const { return lab_.path + "/log"; }

  result<pid_t> pid_of(const site_id& site) const {
    auto pid = process_of(lab_.pid(site));
    return pid ? result<pid_t>{*pid} : failure{ec::site_unreachable, site.value + " does not run"};
  }

  load_server server(size_t site, const std::string& caller, const std::string& path) const {
    auto stem = lab_.pki() + "/" + caller;
    return {network_.sites[site].key_server.etsi014->listen,
            path,
            "qnfv:site:" + network_.sites[site].site.value,
            {lab_.pki() + "/ca.pem", stem + ".pem", stem + ".key"}};
  }

  void end() {
    if (fixed_ > 0) {
      ::kill(fixed_, SIGTERM);
      ::waitpid(fixed_, nullptr, 0);
    }
    try {
      run_to_end({"qnfv", "--lab", lab_.path, "lab", "down"}, log());
    } catch (const command_error&) { // It was not up yet.
    }
    std::error_code ignored;
    if (!keep_)
      std::filesystem::remove_all(lab_.path, ignored);
  }

  bool keep_;
  lab_dir lab_;
  topology network_;
  std::vector<pid_t> sites_;
  std::string fixed_address_;
  pid_t fixed_ = 0;
};

/// Syncs of one 512-byte write each, in place, in the folder of the lab.
double bare_sync_per_s(const std::string& folder) {
  auto path = folder + "/sync.probe";
  int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  std::vector<char> zeros(1u << 20);
  char sector[512] = {1};
  bool ok = fd >= 0 && ::pwrite(fd, zeros.data(), zeros.size(), 0) > 0 && ::fdatasync(fd) == 0;
  uint64_t n = 0;
  auto began = steady_clock::now();
  for (; ok && steady_clock::now() - began < 1s; ++n)
    ok = ::pwrite(fd, sector, sizeof sector, static_cast<off_t>(n % 2048 * 512)) == sizeof sector
         && ::fdatasync(fd) == 0;
  auto took_s = std::chrono::duration<double>(steady_clock::now() - began).count();
  ::close(fd);
  ::unlink(path.c_str());
  if (!ok)
    throw command_error{{ec::storage_failed, path + ": " + std::strerror(errno)}};
  return static_cast<double>(n) / took_s;
}

// -- the command
// -----------------------------------------------------------------------------------

std::vector<uint32_t> parse_clients(const std::string& text) {
  std::vector<uint32_t> out;
  std::istringstream in{text};
  for (std::string part; std::getline(in, part, ',');) {
    if (part.empty() || part.size() > 3 || part.find_first_not_of("0123456789") != std::string::npos
        || std::stoul(part) == 0 || std::stoul(part) > 120)
      throw command_error{{ec::invalid_argument, "--clients: numbers of 1 to 120, e.g. 1,16"}};
    out.push_back(static_cast<uint32_t>(std::stoul(part)));
  }
  if (out.empty())
    throw command_error{{ec::invalid_argument, "--clients: numbers of 1 to 120, e.g. 1,16"}};
  return out;
}

std::string number(double x, int digits) {
  char out[32];
  std::snprintf(out, sizeof out, "%.*f", digits, x);
  return out;
}

std::string json_of(uint32_t clients, const load_result& x) {
  return "\"clients_" + std::to_string(clients) + "\":{\"pairs_per_s\":" + number(x.pairs_per_s, 1)
         + ",\"server_cpu_us_per_pair\":" + number(x.server_cpu_us_per_pair, 1)
         + ",\"p50_ms\":" + number(x.p50_ms, 3) + ",\"p99_ms\":" + number(x.p99_ms, 3) + "}";
}

void add_row(table& to, const std::string& what, uint32_t clients, const load_result& x) {
  to.add({what, std::to_string(clients), number(x.pairs_per_s, 0),
          number(x.server_cpu_us_per_pair, 0), number(x.p50_ms, 2), number(x.p99_ms, 2)});
}

void measure(const choice& x, const command_settings& settings) {
  auto clients = parse_clients(x.clients);
  if (x.seconds < 0.5 || x.seconds > 60)
    throw command_error{{ec::invalid_argument, "--seconds: 0.5 to 60"}};
  auto wanted = (x.seconds + load_settings{}.warm_up_s) * pairs_per_s_max
                * static_cast<double>(clients.size());
  bench_lab lab{x, static_cast<uint32_t>(std::min<double>(wanted, keys_max))};
  auto sync = bare_sync_per_s(lab.path());
  table rows{{"WHAT", "CLIENTS#", "PAIRS/S#", "SERVER CPU US/PAIR#", "P50 MS#", "P99 MS#"}};
  std::string keys, fixed, ratios;
  for (auto n : clients) {
    auto load = lab.keys();
    load.clients = n;
    load.seconds = x.seconds;
    auto ours = value_or_throw(run_load(load));
    load = lab.fixed();
    load.clients = n;
    load.seconds = std::min(x.seconds, 3.0);
    auto theirs = value_or_throw(run_load(load));
    keys += json_of(n, ours) + ",";
    fixed += (fixed.empty() ? "" : ",") + json_of(n, theirs);
    auto name = "\"clients_" + std::to_string(n);
    ratios += (ratios.empty() ? "" : ",") + name + "_to_fixed_answer\":"
              + number(ours.pairs_per_s / theirs.pairs_per_s, 3) + "," + name + "_to_bare_sync\":"
              + number(ours.pairs_per_s / sync, 3) + "," + name + "_cpu_to_fixed_answer\":"
              + number(ours.server_cpu_us_per_pair / theirs.server_cpu_us_per_pair, 3);
    add_row(rows, "keys: drawn at one site, fetched at the other", n, ours);
    add_row(rows, "a server with one fixed answer, asked twice", n, theirs);
  }
  if (settings.json)
    std::printf("{%s\"fixed_answer\":{%s},\"bare_sync_per_s\":%.1f,\"ratios\":{%s}}\n",
                keys.c_str(), fixed.c_str(), sync, ratios.c_str());
  else
    std::printf("%s\n\nbare syncs of the same disk: %.0f a second\n",
                rows.text(face_settings_of(stdout)).c_str(), sync);
}

struct fixed_choice {
  std::string listen, pki, name;
};

/// The same server and TLS as a key server's, and nothing behind them.
void serve_fixed_answer(const fixed_choice& x) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  io_pool io{limits_config{}.io_threads};
  http_server_settings settings;
  settings.listen = x.listen;
  settings.tls = {x.pki + "/ca.pem", x.pki + "/" + x.name + ".pem", x.pki + "/" + x.name + ".key"};
  const std::string body = R"({"keys":[{"key_ID":"6427c6cb-408c-5fb6-aa93-091a6eb3026a","key":")"
                           + std::string(43, 'A') + "=\"}]}";
  auto server = value_or_throw(http_server::start(
      io.context(), settings, [body](const http_request&, const http_reply& reply) {
        http_response answer;
        answer.body = secret{byte_view{body}};
        reply(std::move(answer));
      }));
  int signal_number = 0;
  sigwait(&signals, &signal_number);
}

} // namespace

void add_bench_keys_command(CLI::App& bench, command_settings& settings) {
  auto x = std::make_shared<choice>();
  auto* keys =
      bench.add_subcommand("keys", "Key delivery by two site processes: draw, fetch, compare");
  keys->add_option("--clients", x->clients,
                   "How many clients at a time; several, one after the other")
      ->capture_default_str();
  keys->add_option("--seconds", x->seconds, "For each of them")->capture_default_str();
  keys->add_option("--trace-wire-bytes", x->wire_bytes, "Kept by the trace of each piece on a wire; 0: none")
      ->capture_default_str()
      ->check(CLI::Range(0, 4096));
  keys->add_option("--dir", x->dir, "New folder for the two sites (default: in $QNFV_HOME)");
  keys->add_flag("--keep", x->keep, "Leave the folder, with its logs");
  keys->footer("Example:  qnfv bench keys --clients 1,16 --seconds 5");
  keys->callback([x, &settings] { measure(*x, settings); });

  auto y = std::make_shared<fixed_choice>();
  auto* fixed = bench.add_subcommand("fixed-answer", "An HTTPS server that always says the same");
  fixed->group(""); // For `bench keys` only.
  fixed->add_option("--listen", y->listen)->required();
  fixed->add_option("--pki", y->pki)->required();
  fixed->add_option("--name", y->name)->required();
  fixed->callback([y] { serve_fixed_answer(*y); });
}

} // namespace qnfv
