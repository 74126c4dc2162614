<#
.SYNOPSIS
Tries the driver: calls, detaches and attaches, and compares the counters.

.DESCRIPTION
Asks the driver with exnpictl. The client calls the provider; then each of the two is deregistered and
registered again. After each step the counters of both must have changed as they should.

Leaves the driver as it was, with both modules registered. Returns 0 if all is right, and 1 if not.

.PARAMETER Exnpictl
Where exnpictl.exe is, if it is not beside this script or on the path.

.PARAMETER Calls
How many calls the client makes.

.PARAMETER Package
The folder of the package, which has the INF. Without it, the folder above this script.

.EXAMPLE
.\smoke.ps1

.EXAMPLE
.\smoke.ps1 -Exnpictl C:\exnpi\exnpictl.exe -Calls 100000
#>
#Requires -Version 5.1
#Requires -RunAsAdministrator
[CmdletBinding()]
param(
    [string] $Exnpictl,
    [ValidateRange(1, 1000000)] [int] $Calls = 1000,
    [string] $Package
)

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
Import-Module -Name "$PSScriptRoot\Driver.psm1" -Force

# Calls, and compares the counters of both modules.
function Test-Call {
    param([string] $Program, [int] $Count)
    $before = Invoke-Control -Program $Program -Arguments 'status'
    $called = Invoke-Control -Program $Program -Arguments 'call', '--count', "$Count"
    $after = Invoke-Control -Program $Program -Arguments 'status'
    Assert-Equal ($called.made) $Count 'the number of calls that got through'
    Assert-Equal ($after.client.calls_made - $before.client.calls_made) $Count 'what the client has made'
    Assert-Equal ($after.provider.calls_received - $before.provider.calls_received) $Count 'what the provider has received'
}

# Deregisters a module and registers it again, and compares the counters of both.
function Test-Detach {
    param([string] $Program, [string] $Role)
    $before = Invoke-Control -Program $Program -Arguments 'status'
    Invoke-Control -Program $Program -Arguments 'detach', '--role', $Role | Out-Null
    # The other module's cleanup may come later.
    Wait-Until -What 'both modules are cleaned up' -Condition {
        $now = Invoke-Control -Program $Program -Arguments 'status'
        ($now.client.cleaned_up -eq $now.client.detached) -and ($now.provider.cleaned_up -eq $now.provider.detached)
    }
    $apart = Invoke-Control -Program $Program -Arguments 'status'
    Assert-Equal ($apart.$Role.registered) 'False' "whether the $Role is registered"
    foreach ($module in 'client', 'provider') {
        Assert-Equal ($apart.$module.bindings) 0 "the number of bindings of the $module"
        Assert-Equal ($apart.$module.detached - $before.$module.detached) 1 "the detaches of the $module"
    }
    # No provider: the driver refuses, and exnpictl returns 1.
    Invoke-Tool -Path $Program -Arguments 'call' -Accept 1 | Out-Null
    Invoke-Control -Program $Program -Arguments 'attach', '--role', $Role | Out-Null
    Wait-Until -What 'both modules have a binding' -Condition {
        $now = Invoke-Control -Program $Program -Arguments 'status'
        ($now.client.bindings -eq 1) -and ($now.provider.bindings -eq 1)
    }
    $together = Invoke-Control -Program $Program -Arguments 'status'
    Assert-Equal ($together.$Role.registered) 'True' "whether the $Role is registered"
}

try {
    Write-Step 'the device'
    $driver = Get-Package -Folder $Package
    Assert-DeviceWorks -Driver $driver
    $program = Find-Program -Name 'exnpictl' -Given $Exnpictl
    if (-not $program) {
        throw 'no exnpictl.exe: build it with `cargo build --release --package exnpictl`, and copy it beside this script'
    }

    Write-Step "$Calls calls"
    Test-Call -Program $program -Count $Calls
    foreach ($role in 'client', 'provider') {
        Write-Step "the $role leaves and comes back"
        Test-Detach -Program $program -Role $role
        Test-Call -Program $program -Count 1
    }
    Write-Step 'all is right'
    exit 0
} catch {
    Write-Failure $_
    exit 1
}
