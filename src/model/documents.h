// Documents as text: one parse function and one writer per type, all made from one table per type
// (*_types.cc).
//
// parse_*: at most kDocumentBytesMax bytes, UTF-8, nothing after the document, nesting of at most
// kDocumentDepthMax,
//   no member twice, no NUL in a string. Errors name the path of what is wrong
//   ("spec.disks[1].sise"); nothing is checked but the types: see validate.h. Any thread.
// write: appends one JSON object. Numbers, booleans and enums are always written; empty strings,
// lists, maps, objects
//   and absent optionals are not. Text that is no UTF-8 and NUL become U+FFFD, so what was written
//   can always be read.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"
#include "model/node.h"
#include "model/records.h"
#include "model/schema.h"
#include "model/vm.h"

namespace blixard::model {

// etcd takes requests of at most 1.5 MiB; a document shares its transaction with others.
inline constexpr std::size_t kDocumentBytesMax = 1 << 20;
inline constexpr std::size_t kDocumentDepthMax = 64;  // the deepest document of ours has 6 levels

Result<VmSpec> parse_vm_spec(std::string_view text, Mode mode);
Result<VmRecord> parse_vm_record(std::string_view text, Mode mode);
Result<Placement> parse_placement(std::string_view text, Mode mode);
Result<VmStatus> parse_vm_status(std::string_view text, Mode mode);
Result<NodeSpec> parse_node_spec(std::string_view text, Mode mode);
Result<NodeStatus> parse_node_status(std::string_view text, Mode mode);
Result<NodeLease> parse_node_lease(std::string_view text, Mode mode);
Result<Image> parse_image(std::string_view text, Mode mode);
Result<VolumeRecord> parse_volume_record(std::string_view text, Mode mode);
Result<VolumeStatus> parse_volume_status(std::string_view text, Mode mode);
Result<Quota> parse_quota(std::string_view text, Mode mode);
Result<Project> parse_project(std::string_view text, Mode mode);
Result<Operation> parse_operation(std::string_view text, Mode mode);
Result<Failover> parse_failover(std::string_view text, Mode mode);

void write(const VmSpec& value, std::string& out);
void write(const VmRecord& value, std::string& out);
void write(const Placement& value, std::string& out);
void write(const VmStatus& value, std::string& out);
void write(const NodeSpec& value, std::string& out);
void write(const NodeStatus& value, std::string& out);
void write(const NodeLease& value, std::string& out);
void write(const Image& value, std::string& out);
void write(const VolumeRecord& value, std::string& out);
void write(const VolumeStatus& value, std::string& out);
void write(const Quota& value, std::string& out);
void write(const Project& value, std::string& out);
void write(const Operation& value, std::string& out);
void write(const Failover& value, std::string& out);

template <class T>
std::string to_json(const T& value) {
    thread_local std::string text;  // grown once; what is returned is as large as it must be
    text.clear();
    write(value, text);
    return text;
}

}  // namespace blixard::model
