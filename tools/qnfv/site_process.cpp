#include "tools/qnfv/site_process.hpp"

#include "drivers/channel_tcp/channel_tcp.hpp"
#include "drivers/etsi014/etsi014.hpp"
#include "drivers/http/basic_auth.hpp"
#include "drivers/northbound/northbound.hpp"
#include "drivers/openflow/codec.hpp"
#include "drivers/store_sql/store_sql.hpp"
#include "runtime/base/secret.hpp"
#include "runtime/deployment/gateway.hpp"
#include "runtime/faults/board.hpp"
#include "runtime/tracing/recorder.hpp"
#include "tools/qnfv/compose.hpp"
#include "tools/qnfv/key_files.hpp"
#include "tools/qnfv/lab_dir.hpp"
#include "tools/qnfv/process_faults.hpp"

#include <spdlog/spdlog.h>

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

namespace qnfv {

namespace {

using namespace std::chrono;

struct site_system_config : caf::actor_system_config {
  explicit site_system_config(const site_id& site) {
    register_wire(*this);
    configure_network(*this, site);
    // CAF starts four workers also where there are fewer cores; then they mostly wake each other.
    set("scheduler.max-threads", std::max<size_t>(2, std::thread::hardware_concurrency()));
  }
};

/// Sites at the addresses of the topology, over the gateway.
class gateway_transport : public transport {
public:
  explicit gateway_transport(const topology& lab) : lab_(lab) {}
  void dial(const site_id& site) override {
    if (faults && faults->blocks_connections(site))
      return refuse(site);
    if (door)
      door->dial(site, lab_.site(site)->listen);
  }
  void drop(const site_id& site) override {
    if (door)
      door->close(site);
  }
  void keep(const site_id& site, const caf::node_id& node) override {
    if (door)
      door->close_others(site, node);
  }

  std::unique_ptr<gateway> door;
  std::shared_ptr<fault_board> faults; ///< Null: none.
  std::function<void(const site_id&)> refuse;

private:
  const topology& lab_;
};

/// What an administrator must know goes to the log, too.
void log_note(const trace_record& x) {
  if (x.kind != trace_kind::note)
    return;
  auto what = x.message();
  if (what == "alarm")
    spdlog::warn("{}: {}", x.from(), x.text());
  else if (what == "restart" || what == "peer_up" || what == "peer_down" || what == "order"
           || what == "transfer" || what == "link" || what == "join")
    spdlog::info("{}: {}", x.from(), x.text());
}

/// Puts the faults between the site's actors and their world.
std::shared_ptr<fault_board> allow_faults(environment& env, std::shared_ptr<io_pool> disk) {
  spdlog::warn("faults may be injected at site {}: --allow-faults", env.site.value);
  auto board = std::make_shared<fault_board>(env.site, env.clock, env.random);
  env.network = board;
  env.storage = make_faulty_storage(env.storage, board);
  env.clock = make_faulty_clock(env.clock, board);
  env.on_arrival = [board](const caf::type_erased_tuple& x) { board->arrived(x); };
  env.on_disk = [board, disk](std::function<void()> work) {
    // A slow disk keeps its thread, as a disk does.
    disk->post([board, work = std::move(work)] {
      std::this_thread::sleep_for(board->disk_delay());
      work();
    });
  };
  return board;
}

/// The signals that end a site, blocked in every thread and waited for by main().
sigset_t end_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGALRM);
  return set;
}

/// Ends the node and with it every role; false if they do not end in time.
bool end_node(caf::actor_system& system, const caf::strong_actor_ptr& node) {
  caf::scoped_actor self{system};
  auto handle = caf::actor_cast<caf::actor>(node);
  self->monitor(handle);
  self->send_exit(handle, caf::exit_reason::user_shutdown);
  bool ended = false;
  self->receive([&](const caf::down_msg&) { ended = true; },
                caf::after(seconds{5}) >> [] {});
  return ended;
}

result<secret> load_seed(const site_process_settings& settings) {
  if (settings.emulator_seed.empty())
    return secret{};
  auto seed = read_private_file(settings.emulator_seed);
  if (seed && seed->size() < 32)
    return {ec::bad_config, settings.emulator_seed + ": fewer than 32 bytes"};
  return seed;
}

tls_files certificates_of(const site_process_settings& settings) {
  auto stem = settings.pki + "/" + settings.site.value;
  return {settings.pki + "/ca.pem", stem + ".pem", stem + ".key"};
}

/// Where applications get keys; null if the site has no such service. Mutual TLS is a must, also on
/// loopback: the certificate says who asks.
result<std::shared_ptr<etsi014_door>> open_etsi014(const site_process_settings& settings,
                                                   const site_config& site, const environment& env) {
  if (!site.key_server.etsi014)
    return std::shared_ptr<etsi014_door>{};
  auto& service = *site.key_server.etsi014;
  if (settings.pki.empty())
    return {ec::bad_config, "site " + site.site.value + ": its key server at " + service.listen
                              + " needs certificates: qnfv node --pki FOLDER"};
  etsi014_settings door;
  door.http.listen = service.listen;
  door.http.tls = certificates_of(settings);
  door.http.tracing = {env.lab, env.tap(), etsi014_shown};
  auto rule = parse_identity_rule(service.identity);
  if (!rule)
    return {ec::bad_config, "no identity rule is called " + service.identity};
  door.identity = *rule;
  door.compat.post_without_body = service.post_without_body == "accept";
  door.compat.unknown_key_status = static_cast<uint16_t>(service.unknown_key_status);
  auto opened = etsi014_door::open(env.io, door);
  if (!opened)
    return {opened.error().code,
            "site " + site.site.value + ": key server: " + opened.error().text};
  return opened;
}

/// Where cross-connections are taken by HTTP; without a door if the lab has no such service.
result<northbound_config> open_northbound(const topology& lab, const site_config& site,
                                          const environment& env) {
  northbound_config out;
  auto& service = lab.optical.northbound;
  if (!service || !site.orchestrator)
    return out;
  auto password = load_password(service->password_file);
  if (!password)
    return password.error();
  out.authorization = basic_authorization(service->user, *password);
  for (auto& at : lab.optical.switches)
    if (auto datapath = parse_datapath(at.dpid))
      out.nodes[*datapath] = at.name;
  auto http = northbound_http(service->listen);
  http.tracing = {env.lab, env.tap(), flows_shown};
  auto door = http_door::open(env.io->context(), http);
  if (!door)
    return {door.error().code, "site " + site.site.value + ": northbound: " + door.error().text};
  out.door = *door;
  return out;
}

/// A seal key is made for a site that has no keys yet; never for one that has.
result<secret> find_seal_key(const site_process_settings& settings, const storage& files) {
  auto file = settings.seal_key.empty() ? settings.state + "/seal.key" : settings.seal_key;
  auto has_keys = !files.list("keys").empty();
  if (settings.seal_key.empty() && !has_keys) {
    auto made = make_seal_key(file);
    if (made)
      spdlog::info("made {}; without it the keys of this site are lost", file);
    else if (made.error().code != ec::already_exists)
      return made.error();
  }
  return load_seal_key(file);
}

std::function<std::pair<uint32_t, secret>(const link_id&)>
find_link_secrets(const std::string& folder, failure& problem) {
  return [folder, &problem](const link_id& link) -> std::pair<uint32_t, secret> {
    if (folder.empty())
      return {0, secret{}};
    auto x = load_link_secret(link_secret_file(folder, link));
    if (!x) {
      problem = x.error();
      return {0, secret{}};
    }
    return {x->issue, x->keys};
  };
}

} // namespace

status run_site(const site_process_settings& settings) {
  auto& lab = settings.lab;
  auto* site = lab.site(settings.site);
  if (!site)
    return {ec::unknown_site, "no site " + settings.site.value + " in topology " + lab.name};
  if (settings.allow_faults && lab.production)
    return {ec::not_allowed, "topology " + lab.name + " is \"production\": no faults may be injected; start site "
                               + settings.site.value + " without --allow-faults"};
  auto signals = end_signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);
  if (!protect_secrets())
    spdlog::warn("memory for secrets could not be locked (memlock limit); it may be swapped out");
  if (auto ok = make_folder(settings.state); !ok)
    return ok;
  if (!settings.pid_file.empty())
    if (auto lock = lock_pid_file(settings.pid_file); !lock)
      return lock.error();
  auto seed = load_seed(settings);
  if (!seed)
    return seed.error();
  auto files = make_disk_storage(settings.state);
  if (!files)
    return files.error();

  auto seal_key = find_seal_key(settings, **files);
  if (!seal_key)
    return seal_key.error();

  auto io = std::make_shared<io_pool>(lab.limits.io_threads);
  auto disk = std::make_shared<io_pool>(1);
  auto env = std::make_shared<environment>();
  env->site = settings.site;
  env->lab = lab.digest;
  env->clock = make_real_clock(lab.time_scale);
  env->random = make_system_random();
  env->storage = *files;
  env->io = io;
  env->on_disk = [disk](std::function<void()> work) { disk->post(std::move(work)); };
  auto epoch = begin_epoch(**files);
  if (!epoch)
    return epoch.error();
  recorder::settings trace;
  trace.ring_events = lab.limits.trace_events;
  trace.file = settings.trace_file;
  trace.file_bytes_max = uint64_t{lab.limits.trace_file_mb} << 20;
  env->recorder = std::make_shared<recorder>(settings.site.value, static_cast<uint32_t>(*epoch), trace, log_note);
  env->wire_bytes_max = lab.limits.trace_wire_bytes;
  env->mailbox_max = lab.limits.mailbox_max;
  env->meters = std::make_shared<meters>();
  env->quarantine = std::make_shared<quarantine>();
  auto faults = settings.allow_faults ? allow_faults(*env, disk) : nullptr;

  site_system_config config{settings.site};
  caf::actor_system system{config};
  auto all_gates = std::make_shared<gates>(system, env);
  auto transport = std::make_shared<gateway_transport>(lab);
  transport->faults = faults;
  transport->refuse = [root = caf::actor_cast<caf::actor>(all_gates->handle(settings.site, "node"))](
                        const site_id& site) {
    caf::anon_send(root, peer_lost{site, "unreachable (injected)"});
  };

  // The door first: without certificates nothing else beyond loopback may open either.
  gateway_settings door;
  door.site = settings.site;
  door.listen = site->listen;
  if (!settings.pki.empty())
    door.tls = certificates_of(settings);
  door.peers = neighbours(lab, settings.site);
  door.connect_timeout = milliseconds{lab.limits.connect_timeout_ms};
  door.log = [](const std::string& line) {
    // Operators come and go with each command.
    spdlog::log(line.rfind(operator_name.value, 0) == 0 ? spdlog::level::debug : spdlog::level::info,
                "gateway: {}", line);
  };
  auto root = all_gates->handle(settings.site, "node");
  auto opened = gateway::open(system, door, root, root);
  if (!opened)
    return opened.error();
  transport->door = std::move(*opened);

  if (settings.pki.empty() && site->data_listen.rfind("127.", 0) != 0
      && site->data_listen.rfind("[::1]", 0) != 0)
    return {ec::bad_config, "site " + settings.site.value + " refuses to take image data at "
                              + site->data_listen + " without certificates"};
  tcp_listener_settings door_for_data;
  door_for_data.parked_max = lab.limits.parked_channels_max;
  auto listener = listen_on(io, site->data_listen, door_for_data);
  if (!listener)
    return listener.error();
  result<std::shared_ptr<sql_session>> session{std::shared_ptr<sql_session>{}};
  if (site->orchestrator) {
    session = open_store(settings.state + "/records.sqlite");
    if (!session)
      return session.error();
  }
  world_drivers drivers;
  drivers.start_channel = [&system, env, data_door = *listener, &lab] {
    channel_tcp_config channel;
    channel.listener = data_door;
    channel.connect_timeout_ms = lab.limits.connect_timeout_ms;
    return caf::actor_cast<caf::strong_actor_ptr>(spawn_at(system, env, channel_tcp, channel));
  };
  drivers.data_address = [](const site_config& other) { return other.data_listen; };
  drivers.start_store = [&system, env, session = *session] {
    store_sql_config store;
    store.session = session;
    return caf::actor_cast<caf::strong_actor_ptr>(spawn_at(system, env, store_sql, store));
  };
  auto key_service = open_etsi014(settings, *site, *env);
  if (!key_service)
    return key_service.error();
  if (*key_service)
    drivers.start_etsi014 = [&system, env, service = *key_service,
                             &lab](const key_server_actor& server) {
      etsi014_config config;
      config.door = service;
      config.key_server = server;
      // The pool asks its peer, more than once if need be.
      config.answer_timeout_ms = 5 * lab.limits.request_timeout_ms;
      return caf::actor_cast<caf::strong_actor_ptr>(spawn_at(system, env, etsi014, config));
    };
  auto flow_service = open_northbound(lab, *site, *env);
  if (!flow_service)
    return flow_service.error();
  if (flow_service->door)
    drivers.start_northbound = [&system, env, service = *flow_service](
                                 const sdn_controller_actor& controller) {
      auto config = service;
      config.controller = controller;
      return caf::actor_cast<caf::strong_actor_ptr>(spawn_at(system, env, northbound, config));
    };
  if (!site->metrics_listen.empty()) {
    auto metrics_door = http_door::open(io->context(), prometheus_http(site->metrics_listen, door.tls ? *door.tls : tls_files{}));
    if (!metrics_door)
      return {metrics_door.error().code,
              "site " + settings.site.value + ": metrics: " + metrics_door.error().text};
    drivers.start_prometheus = [&system, env, door = *metrics_door](prometheus_config metrics) {
      metrics.door = door;
      return caf::actor_cast<caf::strong_actor_ptr>(spawn_at(system, env, prometheus_exporter, metrics));
    };
  }
  failure no_secret;
  auto link_secrets = find_link_secrets(settings.link_secrets, no_secret);
  auto parts = compose_site(lab, settings.site,
                            {system, env, *epoch, all_gates, transport, drivers, *seed,
                             {*seal_key, link_secrets}, [] { ::kill(::getpid(), SIGTERM); }, faults,
                            [supervised = settings.supervised](fault_kind what, duration span) {
                              strike_process(what, span, supervised);
                            }});
  if (!parts)
    return parts.error();
  if (!no_secret.text.empty())
    return no_secret;

  auto node_handle = caf::actor_cast<caf::strong_actor_ptr>(
    spawn_at(system, env, node, std::move(*parts)));
  spdlog::info("site {} of {} runs, {} times as fast as the lab", settings.site.value, lab.name,
               lab.time_scale);

  int signal_number = 0;
  sigwait(&signals, &signal_number);
  spdlog::info("site {} ends", settings.site.value);
  // Whatever hangs from here on must not keep the process: SIGALRM ends it.
  sigset_t alarm_only;
  sigemptyset(&alarm_only);
  sigaddset(&alarm_only, SIGALRM);
  signal(SIGALRM, [](int) { ::_exit(3); });
  pthread_sigmask(SIG_UNBLOCK, &alarm_only, nullptr);
  ::alarm(15);

  if (*key_service)
    (*key_service)->stop();
  end_node(system, node_handle);
  node_handle = nullptr;
  transport->door->stop();
  transport->door.reset();
  transport->refuse = nullptr;
  root = nullptr;
  all_gates.reset();
  return done{};
}

} // namespace qnfv
