#pragma once

// One lab: its sites, devices and links. One file, the same for every site.

#include "runtime/base/ids.hpp"
#include "runtime/base/result.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace qnfv {

struct device_config {
  device_id device;
  link_end kind = link_end::bob;
};

struct vim_config {
  std::string kind;   ///< What it runs: "container" or "disk".
  std::string driver; ///< "vim_emulator" or "vim_docker".
  std::string socket = "/var/run/docker.sock"; ///< Of the engine.
};

/// Key delivery over HTTPS, ETSI GS QKD 014.
struct etsi014_service {
  std::string listen;          ///< "10.0.0.1:7301": applications of this site.
  std::string identity = "cn"; ///< What in a certificate names the application: cn, dns or uri.
  std::string post_without_body = "accept"; ///< Or "refuse"; accepted, it means the defaults.
  uint32_t unknown_key_status = 400;        ///< HTTP status; the standard's, or 404.
};

/// A UDP port at which encryptors beside the site get keys of one link.
struct idq3p_config {
  link_id link; ///< One of the site's.
  std::string listen = "127.0.0.1:5323";
  bool beyond_loopback = false; ///< The protocol has no authentication.
  bool answer_damaged = false;  ///< Requests with a wrong CRC; else they are dropped.
};

/// The protocols in which the applications of a site get keys.
struct key_server_services {
  std::optional<etsi014_service> etsi014;
  std::vector<idq3p_config> idq3p;
};

/// Who uses keys: an SAE of ETSI GS QKD 014.
struct application_config {
  std::string name;
  site_id site;
  std::string certificate; ///< What its certificate must name; by default its name.
};

/// How `qnfv deploy` reaches a site's host. What is empty is as the operator's own ssh is configured.
/// No site needs to know it: the copies of a topology on the hosts are without.
struct deploy_config {
  std::string ssh;              ///< "lab@10.0.0.1"; empty: the host of the site's `listen`.
  uint32_t port = 0;
  std::string identity_file;    ///< Private key, on the operator's machine.
  std::string known_hosts_file; ///< Likewise.
  std::string folder;           ///< On the host; empty: of root /var/lib/qnfv/LAB, of others
                                ///< ~/.local/state/qnfv/LAB.

  bool given() const {
    return port != 0
           || !(ssh.empty() && identity_file.empty() && known_hosts_file.empty() && folder.empty());
  }
};

struct site_config {
  site_id site;
  std::string listen;      ///< "10.0.0.1:7101": joins, messages, operators.
  std::string data_listen; ///< "10.0.0.1:7201": image bytes.
  bool orchestrator = false;
  bool trusted_node = true; ///< Relays keys for others, if it has links enough.
  std::vector<device_config> devices;
  std::vector<vim_config> vims; ///< A site with any is a data centre.
  key_server_services key_server;
  std::string metrics_listen; ///< Where Prometheus may read; empty: nowhere.
  deploy_config deploy;
};

/// An optical circuit switch and how it is commanded.
struct switch_config {
  switch_id name;
  site_id site;      ///< Whose host commands it; by default the orchestrator's.
  uint16_t size = 24; ///< N of N x N: ingress ports 1..N, egress ports N+1..2N.
  std::string driver = "switch_emulator"; ///< Or switch_openflow, switch_scpi, switch_restconf.
  /// switch_openflow: where the controller listens for it. The others: where the switch listens.
  std::string address;
  std::string dpid = "00:00:00:00:00:00:05:1e"; ///< What it is called in OpenFlow.
  std::string user;          ///< switch_restconf: name and
  std::string password_file; ///< a file that only the owner may read,
  std::string ca;            ///< whose certificates are trusted; empty: HTTP without TLS, and
  std::string certificate_name; ///< what the switch's names; empty: its host.
  bool emulated = false;     ///< The site runs the switch too, and it really listens or dials.
};

/// One end of a fibre: a device or a site's data channel by its name, or a port of a switch.
struct fibre_end {
  std::string name;
  port_number port = 0; ///< 0: no switch.
};

struct fibre_config {
  fibre_end from;
  fibre_end to;
  double length_km = 0;
};

/// Cross-connections by HTTP, as OpenDaylight Hydrogen takes them.
struct northbound_service {
  std::string listen;
  std::string user = "admin";
  std::string password_file; ///< That only the owner may read.
};

/// What joins devices that share: switches, glass, and what may be asked for by hand.
struct optical_plane {
  std::vector<switch_config> switches;
  std::vector<fibre_config> fibres;
  std::optional<northbound_service> northbound;

  const switch_config* find(const switch_id&) const;
};

/// Who decides whom a shared Bob serves. Lab time.
struct schedule_config {
  std::string policy = "best";
  uint32_t tick_s = 10;
};

struct link_config {
  link_id link; ///< "bob1/alice1"
  device_id bob;
  device_id alice;
  site_id bob_site;
  site_id alice_site;
  double length_km = 0;             ///< Over switches: of the shortest way.
  bool switched = false;            ///< Over fibres to a switch; then Bob may be shared, and is scheduled.
  double extra_loss_db = 0;         ///< Besides fibre, cross connects and connectors.
  /// Driver of both devices: "qkd_emulator", or a key server of another make beside each end:
  /// "qkd_idq3p" or "qkd_etsi014".
  std::string source = "qkd_emulator";
  std::string bob_server;   ///< "127.0.0.1:5323", numeric; a KME may have a name.
  std::string alice_server;
  std::string bob_sae;      ///< qkd_etsi014: the name of Bob's end at its KME,
  std::string alice_sae;    ///< and of Alice's.
  std::string bob_kme;      ///< Name in the certificate of Bob's KME; empty: the host of bob_server.
  std::string alice_kme;
  std::string kme_certificates; ///< Folder with ca.pem, SAE.pem and SAE.key, at both ends.
};

/// Two sites that share no fibre; their keys come over trusted nodes. To everybody but the trusted
/// nodes it is a link like any other: `a` has Bob's end.
struct virtual_link_config {
  link_id link; ///< "co/dc3"
  site_id a;    ///< Where the relays begin.
  site_id b;
  uint32_t paths = 1;           ///< That share no site; no single one of their nodes sees a key of two.
  uint32_t keys_low = 256;      ///< Below it the pool is filled,
  uint32_t keys_high = 1024;    ///< up to here.
  uint32_t keys_per_relay = 64;
};

/// Every bound and time-out. Real time, but for key_wait_s.
struct limits_config {
  uint32_t heartbeat_ms = 500;
  uint32_t heartbeats_missed = 3;    ///< Then a site is dead.
  uint32_t request_timeout_ms = 2000;
  uint32_t offer_timeout_ms = 10000; ///< For a data centre to take a transfer.
  uint32_t install_timeout_s = 600;  ///< From the last byte to the running VNF.
  uint32_t channel_idle_ms = 10000;  ///< No byte for so long: the transfer failed.
  uint32_t connect_timeout_ms = 3000;
  uint32_t key_wait_s = 7200;        ///< Lab time an order waits for a key.
  uint32_t key_retry_ms = 250;
  uint32_t segment_log2 = 20;        ///< Bytes of a stream's segment: 2^12 to 2^24.
  uint32_t segments_in_flight = 4;   ///< Held in memory per transfer and end.
  uint32_t transfers_max = 8;        ///< At a time, per site.
  uint32_t parked_channels_max = 64; ///< Data connections nobody has asked for yet.
  uint32_t pool_keys_max = 20000;    ///< Unused keys per link.
  uint32_t reconcile_s = 30;         ///< How often the two ends of a pool compare.
  uint32_t orders_max = 1000;
  uint32_t io_threads = 2;           ///< That move image bytes.
  uint32_t trace_events = 20000;     ///< Remembered per site.
  uint32_t trace_wire_bytes = 512;   ///< Remembered of each piece on a wire; 0: none is.
  uint32_t trace_file_mb = 64;       ///< Then the trace file is rotated.
  uint32_t restarts_max = 5;         ///< Of one role within the window; then it stays down.
  uint32_t restart_window_s = 60;
  uint32_t mailbox_max = 10000;      ///< Messages that wait for one actor; more are refused.
};

struct topology {
  std::string name;
  double time_scale = 1; ///< How much faster than life the QKD devices run.
  bool production = false; ///< It matters: no site of it starts with --allow-faults.
  std::vector<site_config> sites;
  std::vector<link_config> links;
  std::vector<application_config> applications;
  std::vector<virtual_link_config> virtual_links;
  optical_plane optical;
  schedule_config schedule;
  limits_config limits;
  std::string digest; ///< SHA-256 of topology_to_json: what two sites must agree on.

  const site_config* site(const site_id&) const;
  const site_config& orchestrator() const;
  std::vector<const link_config*> links_of(const site_id&) const;
  const link_config* link_between(const site_id&, const site_id&) const;
  std::vector<const virtual_link_config*> virtual_links_of(const site_id&) const;
  const virtual_link_config* virtual_link_between(const site_id&, const site_id&) const;
  /// Whose keys protect what goes from one site to the other: of their fibre if they share one, else
  /// of their virtual link. Empty: neither.
  link_id key_link_between(const site_id&, const site_id&) const;
  /// True if any Bob is shared: then the orchestrator's site has a controller and a scheduler.
  bool time_shared() const;
  /// A site that begins, ends or passes on relays: two links, or a virtual one.
  bool relays(const site_id&) const;
};

/// Errors: bad_config, one line: file, line, path of the bad value, what is wrong.
result<topology> load_topology(const std::string& path);
result<topology> parse_topology(std::string_view text, const std::string& file_name);

/// Without comments, every option written out. parse_topology reads it back to the same.
std::string topology_to_json(const topology&);

/// The schema that parse_topology checks against (config/schema/topology.schema.json).
std::string_view topology_schema();

} // namespace qnfv
