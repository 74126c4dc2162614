<#
.SYNOPSIS
Removes the driver from the machine.

.DESCRIPTION
Removes the devices and the package. With -All it also takes back what prepare.ps1 and verifier.ps1 have
changed: the verifier, the certificates and test signing. What is not there is passed over.

Returns 0 if nothing is left, 3010 if Windows has to be started again, and 1 if something failed.

.PARAMETER All
Take back the preparation of the machine as well.

.EXAMPLE
.\remove.ps1

.EXAMPLE
.\remove.ps1 -All
#>
#Requires -Version 5.1
#Requires -RunAsAdministrator
[CmdletBinding()]
param([switch] $All)

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
Import-Module -Name "$PSScriptRoot\ExnpiDriver.psm1" -Force

try {
    $restart = $false

    Write-Step 'the devices'
    foreach ($device in @(Get-Device)) {
        Invoke-Tool -Path 'pnputil.exe' -Arguments '/remove-device', $device.InstanceId -Accept 0, $RestartNeeded | Out-Null
        $restart = ($LASTEXITCODE -eq $RestartNeeded) -or $restart
    }

    Write-Step 'the package'
    foreach ($name in @(Get-PublishedName)) {
        Invoke-Tool -Path 'pnputil.exe' -Arguments '/delete-driver', $name, '/uninstall', '/force' -Accept 0, $RestartNeeded | Out-Null
        $restart = ($LASTEXITCODE -eq $RestartNeeded) -or $restart
    }
    if (-not $restart) {
        Wait-Until { -not (Test-DriverLoaded) } 'the driver is unloaded'
    }

    if ($All) {
        Write-Step 'the verifier'
        Invoke-Tool -Path 'verifier.exe' -Arguments '/reset' -Accept 0, 2 | Out-Null
        $restart = ($LASTEXITCODE -eq 2) -or $restart

        Write-Step 'the certificates'
        foreach ($store in 'Root', 'TrustedPublisher') {
            Get-ChildItem -Path "Cert:\LocalMachine\$store" |
                Where-Object { $_.Subject -eq "CN=$CertificateName" } |
                Remove-Item
        }

        Write-Step 'test signing'
        Invoke-Tool -Path 'bcdedit.exe' -Arguments '/set', 'testsigning', 'off' | Out-Null
        $restart = (Test-TestSigning) -or $restart
    }

    if ($restart) {
        Write-Step 'start Windows again'
        exit $RestartNeeded
    }
    Write-Step 'removed'
    exit 0
} catch {
    Write-Failure $_
    exit 1
}
