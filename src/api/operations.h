// Every operation that a person can ask for, one function each; routes.cc says when which is
// called. Each answers its call once, now or later.
#pragma once

#include "api/core.h"

namespace blixard::api {

using Operation = void (*)(Core&, const CallPtr&);

// reads.cc
template <Kind kind>
void list(Core& core, const CallPtr& call);
template <Kind kind>
void get(Core& core, const CallPtr& call);
void get_vm(Core& core, const CallPtr& call);

// vm_create.cc, vm_change.cc, vm_actions.cc, vm_delete.cc
void create_vm(Core& core, const CallPtr& call);
void replace_vm(Core& core, const CallPtr& call);
void patch_vm(Core& core, const CallPtr& call);
void delete_vm(Core& core, const CallPtr& call);
void start_vm(Core& core, const CallPtr& call);
void stop_vm(Core& core, const CallPtr& call);
void restart_vm(Core& core, const CallPtr& call);
void pause_vm(Core& core, const CallPtr& call);
void resume_vm(Core& core, const CallPtr& call);

// vm_host.cc
void get_vm_log(Core& core, const CallPtr& call);
void open_vm_console(Core& core, const CallPtr& call);
void get_vm_usage(Core& core, const CallPtr& call);

// nodes.cc
void patch_node(Core& core, const CallPtr& call);
void delete_node(Core& core, const CallPtr& call);
void cordon_node(Core& core, const CallPtr& call);
void uncordon_node(Core& core, const CallPtr& call);
void drain_node(Core& core, const CallPtr& call);
void declare_node_lost(Core& core, const CallPtr& call);

// node_disks.cc
void get_stray_disks(Core& core, const CallPtr& call);

// images.cc, blobs.cc
void create_image(Core& core, const CallPtr& call);
void delete_image(Core& core, const CallPtr& call);
void upload_without_stream(Core& core, const CallPtr& call);
void get_blob(Core& core, const CallPtr& call);
std::shared_ptr<BodyReader> open_blob_upload(Core& core, const CallPtr& call);

// volumes.cc
void create_volume(Core& core, const CallPtr& call);
void patch_volume(Core& core, const CallPtr& call);
void delete_volume(Core& core, const CallPtr& call);

// projects.cc
void create_project(Core& core, const CallPtr& call);
void patch_project(Core& core, const CallPtr& call);
void delete_project(Core& core, const CallPtr& call);
// The project "default"; `done` once it is there.
void ensure_default_project(Core& core, std::function<void()> done);

// background.cc: operations that run
void cancel_operation(Core& core, const CallPtr& call);

// meta.cc
void open_events(Core& core, const CallPtr& call);
void get_openapi(Core& core, const CallPtr& call);
void get_version(Core& core, const CallPtr& call);
void get_metrics(Core& core, const CallPtr& call);
void get_health(Core& core, const CallPtr& call);
void get_readiness(Core& core, const CallPtr& call);
void get_debug_record(Core& core, const CallPtr& call);

// questions.cc
void explain_vm(Core& core, const CallPtr& call);
void explain_vm_not_on_node(Core& core, const CallPtr& call);
void plan(Core& core, const CallPtr& call);
void rebalance(Core& core, const CallPtr& call);
void ask_cluster(Core& core, const CallPtr& call);

}  // namespace blixard::api
