// Answers that are documents: with their revisions, cut down to the fields asked for, or 304.
#pragma once

#include <string>

#include "api/call.h"
#include "api/subject.h"

namespace blixard::api {

// "57" in quotes.
std::string etag(store::Revision revision);

// Every answer about the state says at which revision of the store it was true.
void add_revision(Response& response, store::Revision revision);

// The document, with ETag and X-Blixard-Revision; only `fields` of it where the client asked so.
void send_document(Call& call, int status, const Found& found, store::Revision state_revision);
// As above for a GET: 304 where the client has it already.
void send_found(Call& call, const Found& found, store::Revision state_revision);
// What is left to say of a thing that is gone.
void send_gone(Call& call, const Subject& subject, const std::string& uid,
               store::Revision state_revision);

// "/v1/vms/web-1?project=p"
std::string location_of(const Subject& subject);

}  // namespace blixard::api
