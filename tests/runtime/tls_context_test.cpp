#include "runtime/tls/context.hpp"
#include "runtime/tls/pki.hpp"
#include "tests/support/folder.hpp"

#include <catch2/catch.hpp>

#include <openssl/ssl.h>

#include <sys/stat.h>

#include <fstream>

using namespace qnfv;

namespace {

struct lab {
  lab() {
    REQUIRE(pki_init(folder.path()));
    REQUIRE(pki_issue(folder.path(), "dc1"));
    files = {folder / "ca.pem", folder / "dc1.pem", folder / "dc1.key"};
  }
  /// The text of the refusal.
  std::string refusal() const {
    auto x = make_tls_context(files);
    REQUIRE_FALSE(x);
    CHECK(x.error().code == ec::bad_config);
    CHECK(x.error().text.find('\n') == std::string::npos);
    return x.error().text;
  }
  test::temporary_folder folder;
  tls_files files;
};

bool has(const std::string& text, const std::string& part) {
  INFO(text);
  return text.find(part) != std::string::npos;
}

} // namespace

TEST_CASE_METHOD(lab, "good files make a context that speaks TLS 1.3 and asks for certificates") {
  auto context = make_tls_context(files);
  REQUIRE(context);
  auto* x = (*context)->native_handle();
  CHECK(SSL_CTX_get_min_proto_version(x) == TLS1_3_VERSION);
  CHECK(SSL_CTX_get_verify_mode(x) == (SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT));
}

TEST_CASE_METHOD(lab, "a missing file is named") {
  auto missing = folder / "nothing.pem";
  SECTION("authority") {
    files.ca = missing;
  }
  SECTION("certificate") {
    files.certificate = missing;
  }
  SECTION("key") {
    files.key = missing;
  }
  auto text = refusal();
  CHECK(has(text, missing));
  CHECK(has(text, "No such file"));
}

TEST_CASE_METHOD(lab, "a file that is no PEM is named") {
  auto nonsense = folder / "nonsense";
  std::ofstream(nonsense) << "-----BEGIN CERTIFICATE-----\nAAAA\n";
  REQUIRE(::chmod(nonsense.c_str(), 0400) == 0);
  SECTION("authority") {
    files.ca = nonsense;
  }
  SECTION("certificate") {
    files.certificate = nonsense;
  }
  SECTION("key") {
    files.key = nonsense;
  }
  CHECK(has(refusal(), nonsense));
}

TEST_CASE_METHOD(lab, "a key that others may read is refused") {
  auto bits = GENERATE(0440, 0404, 0600 | 0020);
  REQUIRE(::chmod(files.key.c_str(), static_cast<mode_t>(bits)) == 0);
  auto text = refusal();
  CHECK(has(text, files.key));
  CHECK(has(text, "chmod 0400"));
}

TEST_CASE_METHOD(lab, "the key of another certificate is refused") {
  REQUIRE(pki_issue(folder.path(), "dc2"));
  files.key = folder / "dc2.key";
  CHECK(has(refusal(), files.key));
}

TEST_CASE_METHOD(lab, "a certificate of another authority is refused") {
  test::temporary_folder other;
  REQUIRE(pki_init(other.path()));
  files.ca = other / "ca.pem";
  CHECK(has(refusal(), files.certificate));
}

TEST_CASE_METHOD(lab, "an expired certificate is refused") {
  pki_options options;
  options.renew = true;
  options.lifetime = -std::chrono::seconds(1);
  REQUIRE(pki_issue(folder.path(), "dc1", options));
  auto text = refusal();
  CHECK(has(text, files.certificate));
  CHECK(has(text, "expired"));
}

TEST_CASE_METHOD(lab, "the authority's own certificate names no site") {
  auto name = certificate_name(folder / "ca.pem");
  REQUIRE_FALSE(name);
  CHECK(has(name.error().text, "ca.pem"));
}
