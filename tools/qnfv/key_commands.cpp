// Keys: what the pools hold, keys for people and scripts, two ends that shall agree, the audit trail.

#include "actors/key_pool/audit.hpp"
#include "drivers/http/json.hpp"
#include "drivers/http/client.hpp"
#include "runtime/base/base64.hpp"
#include "runtime/system/io.hpp"
#include "tools/face/json.hpp"
#include "tools/face/json_out.hpp"
#include "tools/face/table.hpp"
#include "tools/qnfv/commands.hpp"
#include "tools/qnfv/lab_watch.hpp"

#include <unistd.h>

#include <cstdio>
#include <future>
#include <memory>

namespace qnfv {

namespace {

using namespace std::chrono_literals;

/// Asks every site over a connection of its own. Who does not answer is told on stderr, unless
/// nobody does.
template <class T, class Ask>
std::vector<T> ask_all(const lab_dir& lab, const topology& network,
                       const std::vector<site_id>& sites, Ask ask) {
  std::vector<T> out;
  std::vector<failure> silent;
  for (auto& site : sites) {
    try {
      operator_session session{lab, network, site};
      out.push_back(ask(session));
    } catch (const command_error& x) {
      silent.push_back(x.why);
    }
  }
  if (out.empty() && !silent.empty())
    throw command_error{silent.front()};
  for (auto& why : silent)
    std::fprintf(stderr, "qnfv: %s\n", why.text.c_str());
  return out;
}

void print(const std::vector<keys_status>& x, const command_settings& settings) {
  std::printf("%s\n", settings.json ? to_json(x).c_str()
                                    : render(x, face_settings_of(stdout)).c_str());
}

void show_status(const command_settings& settings) {
  auto lab = value_or_throw(find_lab(settings.lab));
  auto network = value_or_throw(load_topology(lab.topology()));
  print(ask_all<keys_status>(lab, network, all_sites(network),
                             [](operator_session& session) {
                               return session.ask<keys_status>(session.key_pool(),
                                                               keys_status_query{});
                             }),
        settings);
}

// -- reconcile -------------------------------------------------------------------------------------

struct reconcile_choice {
  std::string link;
  std::string discard; ///< The site whose keys go; empty: none.
};

void reconcile(const reconcile_choice& choice, const command_settings& settings) {
  auto lab = value_or_throw(find_lab(settings.lab));
  auto network = value_or_throw(load_topology(lab.topology()));
  std::vector<site_id> ends;
  for (auto& link : network.links)
    if (link.link.value == choice.link)
      ends = {link.bob_site, link.alice_site};
  for (auto& link : network.virtual_links)
    if (link.link.value == choice.link)
      ends = {link.a, link.b};
  if (ends.empty())
    throw command_error{{ec::unknown_link, "no link " + choice.link + " in topology "
                                             + network.name + "; see: qnfv keys status"}};
  if (!choice.discard.empty() && std::count(ends.begin(), ends.end(), site_id{choice.discard}) == 0)
    throw command_error{{ec::unknown_site, choice.discard + " is no end of " + choice.link}};
  print(ask_all<keys_status>(lab, network, ends,
                             [&](operator_session& session) {
                               keys_status out;
                               out.site = session.site();
                               reconcile_now ask{link_id{choice.link},
                                                 session.site().value == choice.discard};
                               out.pools = {session.ask<pool_status>(session.key_pool(), ask)};
                               return out;
                             }),
        settings);
}

// -- get -------------------------------------------------------------------------------------------

struct get_choice {
  std::string other;
  std::string as;
  std::string id;
  uint32_t count = 1;
  uint32_t size_bits = key_bits;
  std::string out;
};

const application_config& application_of(const topology& network, const std::string& name) {
  for (auto& x : network.applications)
    if (x.name == name)
      return x;
  throw command_error{{ec::not_found, "no application " + name + " in topology " + network.name}};
}

/// One request to the key server of the application's site, as the application.
secret ask_key_server(const lab_dir& lab, const topology& network, const application_config& me,
                      const std::string& target) {
  auto* site = network.site(me.site);
  if (!site->key_server.etsi014)
    throw command_error{{ec::not_found, "site " + me.site.value + " has no key server"}};
  http_client_settings settings;
  settings.server = site->key_server.etsi014->listen;
  settings.tls = {lab.pki() + "/ca.pem", lab.pki() + "/" + me.name + ".pem",
                  lab.pki() + "/" + me.name + ".key"};
  settings.expected_name = "qnfv:site:" + me.site.value;
  io_pool io{1};
  auto client = value_or_throw(http_client::make(io.context(), settings));
  std::promise<result<client_response>> promise;
  client->send("GET", target, {}, [&](auto x) { promise.set_value(std::move(x)); });
  auto answer = value_or_throw(promise.get_future().get());
  if (answer.status == 200)
    return std::move(answer.body);
  auto text = std::string{answer.body.view().begin(), answer.body.view().end()};
  auto error = parse_object(text);
  if (error && error->HasMember("message") && (*error)["message"].IsString())
    text = (*error)["message"].GetString();
  throw command_error{{ec::not_allowed, "the key server of " + me.site.value + " says "
                                          + std::to_string(answer.status) + ": " + text}};
}

/// Each key into a file of its own, 0400, its bits and nothing else.
template <class F>
void save_keys(const secret& container, const std::string& folder, F saved) {
  secret text{container.size() + 1};
  std::copy(container.view().begin(), container.view().end(), text.data());
  auto all = value_or_throw(parse_object_in_place(reinterpret_cast<char*>(text.data())));
  done_or_throw(make_folder(folder));
  auto has_text = [](const rapidjson::Value& x, const char* name) {
    return x.IsObject() && x.HasMember(name) && x[name].IsString();
  };
  if (!all.HasMember("keys") || !all["keys"].IsArray())
    throw command_error{{ec::internal, "the key server sent no keys"}};
  for (auto& key : all["keys"].GetArray()) {
    auto named = has_text(key, "key_ID") && has_text(key, "key") && parse_uuid(text_of(key["key_ID"]));
    auto bits = named ? from_base64(text_of(key["key"])) : std::nullopt;
    if (!bits)
      throw command_error{{ec::internal, "the key server sent something that is no key"}};
    auto file = folder + "/" + key["key_ID"].GetString() + ".key";
    done_or_throw(write_private_file(file, bits->view()));
    saved(file);
  }
}

void get(const get_choice& choice, const command_settings& settings) {
  auto lab = value_or_throw(find_lab(settings.lab));
  auto network = value_or_throw(load_topology(lab.topology()));
  auto& me = application_of(network, choice.as);
  // A key is spent when it comes: first see that it can be kept.
  if (!choice.out.empty()) {
    done_or_throw(make_folder(choice.out));
    auto file = choice.out + "/" + choice.id + ".key";
    if (!choice.id.empty() && ::access(file.c_str(), F_OK) == 0)
      throw command_error{{ec::already_exists, file + " exists; nothing was fetched"}};
    if (::access(choice.out.c_str(), W_OK) != 0)
      throw command_error{{ec::storage_failed, choice.out + " cannot be written; nothing was fetched"}};
  }
  auto path = "/api/v1/keys/" + application_of(network, choice.other).name;
  auto container =
    ask_key_server(lab, network, me,
                   choice.id.empty() ? path + "/enc_keys?number=" + std::to_string(choice.count)
                                         + "&size=" + std::to_string(choice.size_bits)
                                     : path + "/dec_keys?key_ID=" + choice.id);
  if (!choice.out.empty()) {
    std::vector<std::string> files;
    save_keys(container, choice.out, [&](const std::string& file) {
      files.push_back(file);
      if (!settings.json)
        std::printf("%s\n", file.c_str());
    });
    if (settings.json) {
      json out;
      out.list(files, [](json& to, const std::string& file) { to.text(file); });
      std::printf("%s\n", out.whole().c_str());
    }
    return;
  }
  std::fwrite(container.view().data(), 1, container.size(), stdout);
  std::fputc('\n', stdout);
}

// -- audit -----------------------------------------------------------------------------------------

void verify(const std::string& only, const command_settings& settings) {
  auto lab = value_or_throw(find_lab(settings.lab));
  auto network = value_or_throw(load_topology(lab.topology()));
  table t{{"SITE", "RECORDS#", "ASSIGNED#", "DELIVERED#", "SPENT#", "DESTROYED#", "ALARMS#", "DIGEST"}};
  std::string json = "[";
  std::vector<std::string> broken;
  for (auto& site : network.sites) {
    if (!only.empty() && site.site.value != only)
      continue;
    auto files = value_or_throw(make_disk_storage(lab.state(site.site)));
    auto report = verify_audit(*files, "audit");
    if (!report) {
      broken.push_back(site.site.value + ": " + report.error().text);
      continue;
    }
    auto n = [&](const char* event) { return std::to_string(report->events[event]); };
    auto digest = to_hex(report->digest);
    t.add({site.site.value, std::to_string(report->records), n("assigned"), n("delivered"), n("spent"),
           n("destroyed"), n("alarm"), digest.substr(0, 16)});
    json += std::string(json.size() > 1 ? "," : "") + "{\"site\":\"" + site.site.value
            + "\",\"records\":" + std::to_string(report->records) + ",\"assigned\":" + n("assigned")
            + ",\"delivered\":" + n("delivered") + ",\"spent\":" + n("spent") + ",\"destroyed\":"
            + n("destroyed") + ",\"alarms\":" + n("alarm") + ",\"digest\":\"" + digest + "\"}";
  }
  std::printf("%s\n", settings.json ? (json + "]").c_str()
                                    : t.text(face_settings_of(stdout), "no site of this name").c_str());
  if (!broken.empty())
    throw command_error{{ec::stream_corrupt, "the audit trail of " + broken.front()}};
}

} // namespace

void add_key_commands(CLI::App& app, command_settings& settings) {
  auto* keys = app.add_subcommand("keys", "Key pools");
  keys->require_subcommand(1);
  auto* status_command = keys->add_subcommand("status", "Both ends of every link's pool");
  status_command->footer("Example:  qnfv keys status");
  status_command->callback([&settings] { show_status(settings); });

  auto wanted = std::make_shared<get_choice>();
  auto* get_command = keys->add_subcommand("get", "Draw a key as an application, or fetch one by its id");
  get_command->add_option("other", wanted->other, "The application that shares it")->required();
  get_command->add_option("--as", wanted->as, "The application that asks; its certificate is in pki/")
    ->required();
  auto* id = get_command->add_option("--id", wanted->id, "Fetch the key of this id, which `other` drew")
               ->check([](const std::string& x) { return parse_uuid(x) ? "" : "it is no UUID"; });
  get_command->add_option("--count", wanted->count, "How many")->capture_default_str()->excludes(id);
  get_command->add_option("--size", wanted->size_bits, "Bits of each")->capture_default_str()->excludes(id);
  get_command->add_option("--out", wanted->out,
                          "Folder for one 0400 file a key (default: print the key container)");
  get_command->footer("Example:  qnfv keys get mano-gw-1 --as nfv-co --out ./co\n"
                      "          qnfv keys get nfv-co --as mano-gw-1 --id ID --out ./dc1");
  get_command->callback([wanted, &settings] { get(*wanted, settings); });

  auto x = std::make_shared<reconcile_choice>();
  auto* reconcile_command = keys->add_subcommand("reconcile", "Have both ends of a link compare now");
  reconcile_command->add_option("link", x->link, "BOB/ALICE")->required();
  reconcile_command->add_option("--discard", x->discard,
                                "Site whose store was rolled back: destroy all its keys of this link");
  reconcile_command->footer("Example:  qnfv keys reconcile bob1/alice1\n"
                            "After --discard the link waits for a new secret at both ends:\n"
                            "  qnfv pki link-secret bob1/alice1 --renew --dir SECRETS, then restart them");
  reconcile_command->callback([x, &settings] { reconcile(*x, settings); });

  auto site = std::make_shared<std::string>();
  auto* audit = keys->add_subcommand("audit", "The trail of deliveries, assignments and destructions");
  audit->require_subcommand(1);
  auto* verify_command = audit->add_subcommand("verify", "Check the chain of every record");
  verify_command->add_option("--site", *site, "Only this site");
  verify_command->footer("Example:  qnfv keys audit verify\nNote the digest elsewhere: whoever rewrites a "
                         "whole trail cannot bring it back.");
  verify_command->callback([site, &settings] { verify(*site, settings); });
}

} // namespace qnfv
