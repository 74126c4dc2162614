//! `NETIO.SYS`.

table! {
    { use crate::native::exports::netio; }
    gated {
        "NmrClientAttachProvider" => netio::attach_provider,
        "NmrClientDetachProviderComplete" => nmr_host::NmrClientDetachProviderComplete,
        "NmrDeregisterClient" => nmr_host::NmrDeregisterClient,
        "NmrDeregisterProvider" => nmr_host::NmrDeregisterProvider,
        "NmrProviderDetachClientComplete" => nmr_host::NmrProviderDetachClientComplete,
        "NmrRegisterClient" => netio::register_client,
        "NmrRegisterProvider" => netio::register_provider,
        "NmrWaitForClientDeregisterComplete" => netio::wait_for_client,
        "NmrWaitForProviderDeregisterComplete" => netio::wait_for_provider,
    }
    direct {
    }
}
