#include "cluster/identity.h"

#include "cluster/json_fields.h"
#include "cluster/membership.h"
#include "os/files.h"

namespace blixard::cluster {

std::string write_identity(const Identity& identity) {
    return JsonObject()
        .add("schema", 1)
        .add("cluster_id", identity.cluster_id)
        .add("name", identity.name)
        .add("uid", identity.uid)
        .add("advertise", identity.advertise)
        .add("etcd_client_port", identity.etcd_client_port)
        .add("etcd_peer_port", identity.etcd_peer_port)
        .add_bool("runs_etcd", identity.runs_etcd)
        .add("etcd_endpoints", identity.etcd_endpoints)
        .add("voter_addresses", identity.voter_addresses)
        .add("lease_ttl_ms", identity.lease_ttl_ms)
        .add(identity.extras)
        .text();
}

Result<Identity> parse_identity(std::string_view json) {
    ASSIGN_OR_RETURN(auto fields, JsonFields::parse(json));
    Identity identity;
    (void)fields.take_number("schema");
    identity.cluster_id = fields.take_text("cluster_id");
    identity.name = fields.take_text("name");
    identity.uid = fields.take_text("uid");
    identity.advertise = fields.take_text("advertise");
    identity.etcd_client_port = static_cast<int>(fields.take_number("etcd_client_port"));
    identity.etcd_peer_port = static_cast<int>(fields.take_number("etcd_peer_port"));
    identity.runs_etcd = fields.take_bool("runs_etcd");
    identity.etcd_endpoints = fields.take_texts("etcd_endpoints");
    identity.voter_addresses = fields.take_texts("voter_addresses");
    identity.lease_ttl_ms = fields.take_number("lease_ttl_ms");
    identity.extras = fields.rest();
    if (identity.cluster_id.empty() || identity.name.empty() || identity.uid.empty())
        return fail(ErrorCode::kInvalid,
                    "the identity file is damaged: it names no cluster or no host");
    return identity;
}

bool IdentityFiles::present() const { return os::path_exists(identity()); }

Result<Identity> IdentityFiles::load() const {
    ASSIGN_OR_RETURN(const std::string text, os::read_file(identity(), 1u << 20));
    return parse_identity(text);
}

Status IdentityFiles::save(const Identity& who) const {
    return os::write_file_atomically(identity(), write_identity(who));
}

Status IdentityFiles::save_certificate(const std::string& certificate_pem,
                                       const std::string& authority_pem) const {
    RETURN_IF_ERROR(os::write_file_atomically(authority(), authority_pem));
    return os::write_file_atomically(certificate(), certificate_pem + authority_pem);
}

Status IdentityFiles::replace_pair(const std::string& key_pem, const std::string& certificate_pem,
                                   const std::string& authority_pem) const {
    RETURN_IF_ERROR(
        os::write_file_atomically(root_ + "/pair.json", JsonObject()
                                                            .add("key", key_pem)
                                                            .add("certificate", certificate_pem)
                                                            .add("authority", authority_pem)
                                                            .text()));
    return finish_pair();
}

Status IdentityFiles::finish_pair() const {
    const std::string staged = root_ + "/pair.json";
    if (!os::path_exists(staged)) return {};
    ASSIGN_OR_RETURN(const std::string text, os::read_file(staged, 1u << 20));
    ASSIGN_OR_RETURN(auto fields, JsonFields::parse(text));
    RETURN_IF_ERROR(os::write_file_atomically(key(), fields.take_text("key")));
    const std::string certificate_pem = fields.take_text("certificate");
    RETURN_IF_ERROR(save_certificate(certificate_pem, fields.take_text("authority")));
    return os::remove_file(staged);
}

Status IdentityFiles::clear() const {
    RETURN_IF_ERROR(os::remove_file(identity()));
    return os::remove_tree(root_);
}

EtcdConfig IdentityFiles::etcd_config(const Identity& who) const {
    EtcdConfig config;
    config.name = who.name;
    config.cluster_id = who.cluster_id;
    config.data_directory = etcd_data();
    if (const auto address = parse_host_port(who.advertise)) config.listen_host = address->host;
    config.client_port = who.etcd_client_port;
    config.peer_port = who.etcd_peer_port;
    config.authority_file = authority();
    config.certificate_file = certificate();
    config.key_file = key();
    config.revocation_file = revocations();
    return config;
}

}  // namespace blixard::cluster
