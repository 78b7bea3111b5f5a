"""Clients of key delivery as applications write them, for tests/processes/key_server.

key_clients.py keep_alive|retry PKI MASTER_URL SLAVE_URL COUNT
"""
import base64, http.client, json, ssl, sys, time
from urllib.parse import urlparse


class Client:
    """One kept connection, as the sessions of Python's requests have."""

    def __init__(self, pki, name, url):
        context = ssl.create_default_context(cafile=f"{pki}/ca.pem")
        context.load_cert_chain(f"{pki}/{name}.pem", f"{pki}/{name}.key")
        self.url = urlparse(url)
        self.connection = http.client.HTTPSConnection(self.url.netloc, context=context, timeout=10)
        self.connections = set()

    def ask(self, method, path, body=None):
        headers = {"Accept": "application/json"}
        if body is not None:
            body = json.dumps(body)
            headers["Content-Type"] = "application/json"
        self.connection.request(method, self.url.path + path, body, headers)
        self.connections.add(self.connection.sock.getsockname())
        answer = self.connection.getresponse()
        # Clients parse the body of every answer.
        return answer.status, json.loads(answer.read())


def same(drawn, fetched, number, size_bits):
    assert [x["key_ID"] for x in drawn["keys"]] == [x["key_ID"] for x in fetched["keys"]]
    assert [x["key"] for x in drawn["keys"]] == [x["key"] for x in fetched["keys"]]
    assert len(drawn["keys"]) == number
    for x in drawn["keys"]:
        assert len(base64.b64decode(x["key"], validate=True)) == size_bits // 8


def keep_alive(master, slave, count):
    for i in range(count // 4):
        status, drawn = master.ask("POST", "/mano-gw-1/enc_keys", {"number": 4, "size": 64 * (i + 1)})
        assert status == 200, drawn
        ids = {"key_IDs": [{"key_ID": x["key_ID"]} for x in drawn["keys"]]}
        status, fetched = slave.ask("POST", "/nfv-co/dec_keys", ids)
        assert status == 200, fetched
        same(drawn, fetched, 4, 64 * (i + 1))
        status, error = slave.ask("POST", "/nfv-co/dec_keys", ids)
        assert status == 400 and error["message"] == "one or more keys specified are not found on KME", error
    print(f"{count} keys, {len(master.connections) + len(slave.connections)} connections")


def retry(master, slave, count):
    """Any answer but 200 is asked again, after twice the time: of 503 while the pools fill, too."""
    retries = 0

    def patiently(client, path):
        nonlocal retries
        delay = 0.02
        while delay < 20:
            status, answer = client.ask("GET", path)
            if status == 200:
                return answer
            retries += 1
            time.sleep(delay)
            delay *= 2
        raise AssertionError(answer)

    for _ in range(count):
        drawn = patiently(master, "/mano-gw-1/enc_keys?number=1&size=256")
        fetched = patiently(slave, "/nfv-co/dec_keys?key_ID=" + drawn["keys"][0]["key_ID"])
        same(drawn, fetched, 1, 256)
    print(f"{count} keys after {retries} retries")


what, pki, master_url, slave_url, number = sys.argv[1:]
globals()[what](Client(pki, "nfv-co", master_url), Client(pki, "mano-gw-1", slave_url), int(number))
